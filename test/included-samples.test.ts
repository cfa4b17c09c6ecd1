import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, workspacePackages } from "./support/packages.js";

/**
 * A mark in a comment of its own line, then a fence: `<!-- source: apps/x/src/y.ts#region -->`. The fence holds the region of that
 * file, and is written by `npx vitest run test/included-samples.test.ts -u`.
 */
const INCLUDED = /(<!-- source: ([\w./-]+)#([\w-]+) -->\n+```ts\n)[\s\S]*?(\n```)/g;

const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
const including = docs.filter((name) => textOf(name).includes("<!-- source: "));

test.each(including)("docs/%s holds what the files of its samples hold", async (name) => {
  const renewed = textOf(name).replace(INCLUDED, (_, head: string, path: string, region: string, tail: string) => {
    return `${head}${regionOf(path, region)}${tail}`;
  });
  await expect(renewed).toMatchFileSnapshot(join(ROOT, "docs", name));
});

test("every program of apps/consumers is a sample of docs/api-design.md, and has 200 lines at most", () => {
  const consumers = workspacePackages("apps").find(({ folder }) => folder === "consumers");
  const directory = join(consumers?.directory ?? "", "src");
  const programs = readdirSync(directory).filter((name) => regionsOf(join(directory, name)).length > 0);
  const included = [...textOf("api-design.md").matchAll(INCLUDED)].map((match) => match[2]);
  expect(new Set(programs.map((name) => `apps/consumers/src/${name}`))).toEqual(new Set(included));
  const long = readdirSync(directory).filter((name) => linesOf(join(directory, name)) > 200);
  expect(long).toEqual([]);
});

function textOf(name: string): string {
  return readFileSync(join(ROOT, "docs", name), "utf8");
}

function linesOf(path: string): number {
  return readFileSync(path, "utf8").trimEnd().split("\n").length;
}

function regionsOf(path: string): string[] {
  return [...readFileSync(path, "utf8").matchAll(/^\/\/ #region ([\w-]+)$/gm)].map((match) => match[1] ?? "");
}

function regionOf(path: string, region: string): string {
  const text = readFileSync(join(ROOT, path), "utf8");
  const [, found] = new RegExp(`^// #region ${region}\n([\\s\\S]*?)\n// #endregion ${region}$`, "m").exec(text) ?? [];
  if (found === undefined) throw new Error(`${path} has no region ${region}.`);
  return found.trimEnd();
}
