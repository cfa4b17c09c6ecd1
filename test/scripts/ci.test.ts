import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ROOT } from "../support/packages.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ci-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  ["adds up what both commands count", "echo 3 passed, 0 failed", "echo 40 passed, 0 failed", "43 passed, 0 failed", 0],
  [
    "fails when the first fails, and runs the second",
    fails("echo 3 passed, 1 failed"),
    "echo 40 passed, 0 failed",
    "43 passed, 1 failed",
    1,
  ],
  [
    "fails when the second fails",
    "echo 3 passed, 0 failed",
    fails("echo 39 passed, 2 failed"),
    "42 passed, 2 failed",
    1,
  ],
  [
    "counts a command that dies before it counts",
    fails("echo oops"),
    "echo 40 passed, 0 failed",
    "40 passed, 1 failed",
    1,
  ],
  ["counts a failure beside what a command counts", fails("echo 3 passed, 0 failed"), "true", "3 passed, 1 failed", 1],
])("CI %s", (_, check, tests, last, status) => {
  writeFileSync(join(directory, "package.json"), JSON.stringify({ scripts: { check, test: tests } }));
  const run = spawnSync(process.execPath, [join(ROOT, "scripts", "ci.mjs")], { cwd: directory, encoding: "utf8" });
  expect(run.stdout.trimEnd().split("\n").at(-1)).toBe(last);
  expect(run.status).toBe(status);
});

test(".ci/run is what this tests", () => {
  expect(readFileSync(join(ROOT, ".ci", "run"), "utf8").trimEnd()).toMatch(/\nnode scripts\/ci\.mjs$/);
});

function fails(command: string): string {
  return `${command} && exit 1`;
}
