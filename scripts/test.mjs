/**
 * `npm test`: installs, builds, runs every test, and ends with the line `N passed, N failed`.
 *
 * Arguments after `--` go to vitest: `npm test -- packages/client`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { run } from "./run.mjs";

let counts = { passed: 0, failed: 1 };
// Whatever ends this, the last line has the counts: a build that fails ends the process at once.
process.once("exit", () => console.log(`${counts.passed} passed, ${counts.failed} failed`));

await build();

const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-test-"));
const report = join(directory, "report.json");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const code = await run("vitest", ["run", ...reporters, ...process.argv.slice(2)]);
counts = count(report);
if (code !== 0) counts.failed = Math.max(1, counts.failed);
rmSync(directory, { recursive: true, force: true });
process.exitCode = code;

/** Tests by outcome. A file that did not load counts as one failure: its tests were never seen. */
function count(path) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, "utf8"));
    const unloaded = testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
    return { passed: numPassedTests, failed: numFailedTests + unloaded.length };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
