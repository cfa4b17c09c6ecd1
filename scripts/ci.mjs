/**
 * What CI runs: `npm run check`, then `npm test`, also when the first has failed, so that one run reports all.
 *
 * Ends with the sum of both, `N passed, N failed`, and with exit code 1 when either failed.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const COMMANDS = ["check", "test"];
/** The closing line of each command of this repository that counts something. */
const COUNTS = /^(\d+) passed, (\d+) failed$/;

const totals = { passed: 0, failed: 0 };
for (const command of COMMANDS) {
  const { passed, failed } = await runCounted(command);
  totals.passed += passed;
  totals.failed += failed;
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** Runs an npm script, passes its output on, and resolves to what its last line with counts says. */
async function runCounted(command) {
  console.log(`npm run ${command}`);
  const shell = process.platform === "win32";
  const child = spawn("npm", ["run", "--silent", command], { stdio: ["ignore", "pipe", "inherit"], shell });
  const exited = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  let counts = { passed: 0, failed: 0 };
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    const [, passed, failed] = COUNTS.exec(line) ?? [];
    if (passed !== undefined) counts = { passed: Number(passed), failed: Number(failed) };
  }
  const outcome = await exited;
  if (outcome === 0 || counts.failed > 0) return counts;
  // A command that died before it counted, or beside what it counts, is a failure of its own.
  console.log(`npm run ${command} ended with ${outcome}`);
  return { ...counts, failed: 1 };
}
