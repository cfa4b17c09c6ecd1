import { execFile, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { failpointBuild } from "../support/failpoint-build.js";
import { tempHome } from "./temp-home.js";

const canMount = spawnSync("unshare", ["-m", "true"]).status === 0;
if (!canMount) process.stderr.write("full-disk.test.ts: skipped, because this user may not make mount namespaces\n");

/** Tells how a start fails, and how long that took, in a state directory on a file system of its own. */
const PROGRAM = `
  const { ensureLocalDaemon } = require(process.argv[1]);
  const started = performance.now();
  ensureLocalDaemon({ stateDir: process.argv[2] }).then(
    () => console.log(JSON.stringify({ code: "started" })),
    ({ code, message }) => console.log(JSON.stringify({ code, message, tookMs: performance.now() - started })),
  );
`;

test.runIf(canMount).each([
  ["full", "size=64k", "ENOSPC"],
  ["read-only", "size=64k,ro", "EROFS"],
])("a start on a %s disk fails soon, naming the path and the system's code (F8)", async (_, options, code) => {
  using home = tempHome();
  mkdirSync(home.state);
  const script = 'mount -t tmpfs -o "$1,mode=0700" tmpfs "$2" && exec "$3" -e "$4" "$5" "$2"';
  const args = ["-m", "sh", "-c", script, "sh", options, home.state, process.execPath, PROGRAM, failpointBuild().index];
  const { stdout } = await promisify(execFile)("unshare", args);
  const told = JSON.parse(stdout);
  expect(told.message).toContain(home.state);
  expect(told.message).toContain(code);
  expect(told.tookMs).toBeLessThan(30_000);
});
