import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { cacheDirectory, compiledProgram } from "../../src/compiled/index.js";
import { tempDir } from "../agents/agent-harness.js";

const TEXT = `globalThis.compiledProgramRan = [__filename, __dirname, require("node:path").sep, typeof module.exports];`;

let program: string;
let directory: string;
beforeEach(async () => {
  const { path } = await tempDir();
  program = join(path, "program.cjs");
  directory = join(path, "caches", "mine");
  writeFileSync(program, TEXT);
});

/** The one file of the cache. */
function cached(): string {
  const [name = "none", ...others] = readdirSync(directory);
  expect(others).toEqual([]);
  return join(directory, name);
}

test("runs as CommonJS, and is taken from the cache by the next start", () => {
  const first = compiledProgram(program, directory);
  expect(first.isFromCache).toBe(false);
  first.run();
  expect(Reflect.get(globalThis, "compiledProgramRan")).toEqual([program, join(program, ".."), "/", "object"]);
  first.store();
  expect([cached(), directory].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o700]);
  expect(compiledProgram(program, directory).isFromCache).toBe(true);
});

test("text that is not ASCII stays what it is", () => {
  writeFileSync(program, `globalThis.compiledProgramRan = "Grüße, 世界";`);
  compiledProgram(program, directory).run();
  expect(Reflect.get(globalThis, "compiledProgramRan")).toBe("Grüße, 世界");
});

test("another program of the same length is compiled anew, also in place of the first one's file", () => {
  compiledProgram(program, directory).store();
  const first = cached();
  writeFileSync(program, TEXT.replace("object", "obJect").replace("module.exports", "module.Exports"));
  expect(compiledProgram(program, directory).isFromCache).toBe(false);
  compiledProgram(program, directory).store();
  const [second = ""] = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => path !== first);
  renameSync(first, second);
  expect(compiledProgram(program, directory).isFromCache).toBe(false);
});

test("what another version stored is removed after a month, and nothing else", () => {
  compiledProgram(program, directory).store();
  const [old, recent, foreign] = ["program-0.cache.1.tmp", "program-1.cache", "foreign"].map((name) =>
    join(directory, name),
  );
  for (const path of [old, recent, foreign]) writeFileSync(path ?? "", "");
  const longAgo = new Date(Date.now() - 31 * 24 * 3_600_000);
  for (const path of [old, foreign]) utimesSync(path ?? "", longAgo, longAgo);
  compiledProgram(program, directory).store();
  expect([old, recent, foreign].map((path) => existsSync(path ?? ""))).toEqual([false, true, true]);
});

test.each([
  ["cut off", () => writeFileSync(cached(), readFileSync(cached()).subarray(0, 90))],
  ["empty", () => writeFileSync(cached(), "")],
  ["changed", () => writeFileSync(cached(), readFileSync(cached()).fill(7, 60, 90))],
  ["readable for others", () => chmodSync(cached(), 0o644)],
])("a cache that is %s is not used, and the program runs", (_, spoil) => {
  compiledProgram(program, directory).store();
  spoil();
  const compiled = compiledProgram(program, directory);
  expect(compiled.isFromCache).toBe(false);
  compiled.run();
});

test("a link in the place of the cache is not followed", () => {
  compiledProgram(program, directory).store();
  const elsewhere = join(program, "..", "elsewhere");
  const path = cached();
  renameSync(path, elsewhere);
  symlinkSync(elsewhere, path);
  expect(compiledProgram(program, directory).isFromCache).toBe(false);
});

test("a directory that cannot be written to is no obstacle", () => {
  const compiled = compiledProgram(program, join(program, "cache"));
  expect(() => compiled.store()).not.toThrow();
});

test.each([
  ["linux", { HOME: "/h" }, "/h/.cache/daemon-sdk"],
  ["linux", { HOME: "/h", XDG_CACHE_HOME: "/c" }, "/c/daemon-sdk"],
  ["linux", { HOME: "/h", XDG_CACHE_HOME: "c" }, "/h/.cache/daemon-sdk"],
  ["linux", { HOME: "h" }, undefined],
  ["darwin", { HOME: "/h" }, "/h/Library/Caches/daemon-sdk"],
  ["win32", {}, undefined],
] as const)("the cache directory on %s with %j is %s", (platform, env, expected) => {
  expect(cacheDirectory(env, platform)).toBe(expected);
});
