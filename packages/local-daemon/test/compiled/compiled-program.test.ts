import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { compiledProgram } from "../../src/compiled/index.js";
import { tempDir } from "../agents/agent-harness.js";

const TEXT = `globalThis.compiledProgramRan = [__filename, __dirname, require("node:path").sep, typeof module.exports];`;

let program: string;
let cache: string;
beforeEach(async () => {
  const { path } = await tempDir();
  program = join(path, "program.cjs");
  cache = join(path, "cache");
  writeFileSync(program, TEXT);
});

test("runs as CommonJS, and is taken from the cache by the next start", () => {
  const first = compiledProgram(program, cache);
  expect(first.isFromCache).toBe(false);
  first.run();
  expect(Reflect.get(globalThis, "compiledProgramRan")).toEqual([program, join(program, ".."), "/", "object"]);
  first.store();
  expect(statSync(cache).mode & 0o777).toBe(0o600);
  expect(compiledProgram(program, cache).isFromCache).toBe(true);
});

test("another program of the same length is compiled anew", () => {
  compiledProgram(program, cache).store();
  writeFileSync(program, TEXT.replace("object", "obJect").replace("module.exports", "module.Exports"));
  expect(compiledProgram(program, cache).isFromCache).toBe(false);
});

test.each([
  ["cut off", () => writeFileSync(cache, readFileSync(cache).subarray(0, 90))],
  ["empty", () => writeFileSync(cache, "")],
  ["changed", () => writeFileSync(cache, readFileSync(cache).fill(7, 60, 90))],
  ["readable for others", () => chmodSync(cache, 0o644)],
])("a cache that is %s is not used, and the program runs", (_, spoil) => {
  compiledProgram(program, cache).store();
  spoil();
  const compiled = compiledProgram(program, cache);
  expect(compiled.isFromCache).toBe(false);
  compiled.run();
});

test("a link in the place of the cache is not followed", () => {
  compiledProgram(program, `${cache}-elsewhere`).store();
  symlinkSync(`${cache}-elsewhere`, cache);
  expect(compiledProgram(program, cache).isFromCache).toBe(false);
});

test("a directory that cannot be written to is no obstacle", () => {
  const compiled = compiledProgram(program, join(program, "cache"));
  expect(() => compiled.store()).not.toThrow();
});
