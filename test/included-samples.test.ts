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

test("no sample of docs/api-design.md is a sketch: each is included from a program, or is compiled and run", () => {
  const fences = textOf("api-design.md").match(/(?:<!-- .* -->\n+)?```ts/g) ?? [];
  expect(fences.filter((fence) => !/^<!-- (?:source: |sample: run)/.test(fence))).toEqual([]);
  expect(fences.length).toBeGreaterThan(5);
});

test("every program of apps/consumers is a sample of docs/api-design.md, and has 200 lines at most, with the modules that are its own", () => {
  const consumers = workspacePackages("apps").find(({ folder }) => folder === "consumers");
  const directory = join(consumers?.directory ?? "", "src");
  const programs = readdirSync(directory).filter((name) => regionsOf(join(directory, name)).length > 0);
  const included = [...textOf("api-design.md").matchAll(INCLUDED)].map((match) => match[2]);
  expect(new Set(programs.map((name) => `apps/consumers/src/${name}`))).toEqual(new Set(included));
  const users = new Map<string, string[]>();
  for (const program of programs)
    for (const name of modulesOf(directory, program)) users.set(name, [...(users.get(name) ?? []), program]);
  const lines = programs.map((program) => {
    const own = [...users].filter(([, by]) => by.length === 1 && by[0] === program).map(([name]) => name);
    const pages = [...readFileSync(join(directory, program), "utf8").matchAll(/"(\.\.\/pages\/[\w.-]+)"/g)];
    const files = [...own, ...pages.map(([, path = ""]) => path)];
    return { program, lines: files.reduce((sum, name) => sum + linesOf(join(directory, name)), 0) };
  });
  expect(lines.filter(({ lines }) => lines > 200)).toEqual([]);
  expect(new Set(users.keys())).toEqual(new Set(readdirSync(directory).filter((name) => name.endsWith(".ts"))));
});

function textOf(name: string): string {
  return readFileSync(join(ROOT, "docs", name), "utf8");
}

/** A program and all modules that it imports. */
function modulesOf(directory: string, name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const [, other = ""] of readFileSync(join(directory, name), "utf8").matchAll(/from "\.\/([\w-]+)\.js"/g))
    modulesOf(directory, `${other}.ts`, found);
  return found;
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
