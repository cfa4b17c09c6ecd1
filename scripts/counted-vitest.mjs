/** Runs vitest, and ends with the line `N passed, N failed`, whatever ends the process. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.mjs";

let counts = { passed: 0, failed: 1 };

/** Lets the last line of this process have the counts, also when a build fails before there are any. */
export function endWithCounts() {
  process.once("exit", () => console.log(`${counts.passed} passed, ${counts.failed} failed`));
}

/** Runs vitest with these arguments; its exit code becomes that of this process. */
export async function runCounted(args) {
  const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-test-"));
  const report = join(directory, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = await run("vitest", ["run", ...reporters, ...args]);
  counts = count(report);
  if (code !== 0) counts.failed = Math.max(1, counts.failed);
  rmSync(directory, { recursive: true, force: true });
  process.exitCode = code;
}

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
