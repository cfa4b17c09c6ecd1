import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import * as protocol from "../src/index.js";
import * as schema from "../src/schema.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

// `buildSync`, because `build` leaves its service process running.
test("the sample of the README runs, and prints what it says", () => {
  const sample = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const resolveDir = fileURLToPath(new URL("../../..", import.meta.url));
  const { outputFiles } = buildSync({
    stdin: { contents: sample, resolveDir },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    conditions: ["@daemon-sdk/source"],
  });
  const output = execFileSync(process.execPath, ["--input-type=module"], { input: outputFiles[0]?.text ?? "" });
  expect(output.toString().trim().split("\n")).toEqual(["{}", "1.51.0", "true SESSION_NOT_FOUND"]);
});

test("every name in the README's table is exported", () => {
  const table = readme.split("\n").filter((line) => line.startsWith("| ") && line.includes("`"));
  const names = table.flatMap((line) => [...line.matchAll(/`([A-Za-z_]+)`/g)].map(([, name]) => name ?? ""));
  const types = new Set(["Transport", "Dial"]);
  const exported = { ...protocol, ...schema };
  for (const name of names) if (!types.has(name)) expect(exported).toHaveProperty(name);
  expect(names.length).toBeGreaterThan(20);
});

test("the main entry holds no zod", () => {
  const { metafile } = buildSync({
    entryPoints: [fileURLToPath(new URL("../src/index.ts", import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => path.includes("zod"))).toEqual([]);
  expect(inputs.filter((path) => path.includes("node_modules"))).toEqual([]);
});
