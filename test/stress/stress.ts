/**
 * `npm run stress`: sixteen checks against a real daemon process over real sockets. One line each, then
 * `16 passed, 0 failed`. Nothing is simulated: the agent is a process, its files are on disk.
 */
import { connectDaemon } from "@daemon-sdk/client";
import { isAlive, startDaemonProcess } from "../support/daemon-process.js";
import { type Ground, type StressCheck, within } from "./check.js";
import { connectionChecks } from "./connection-checks.js";
import { sessionChecks } from "./session-checks.js";
import { turnChecks } from "./turn-checks.js";

const CHECK_MS = 30_000;
const CHECKS: readonly StressCheck[] = [...connectionChecks, ...turnChecks, ...sessionChecks];

const daemon = await startDaemonProcess();
const connection = await connectDaemon({ url: daemon.url, token: daemon.token });
const ground: Ground = { daemon, connection };
let passed = 0;
for (const check of CHECKS) if (await holds(check)) passed += 1;
await connection.close();
await daemon.stop();
if (isAlive(daemon.pid)) {
  console.log("FAIL the daemon is still there after it was stopped");
  passed -= 1;
}

console.log(`${passed} passed, ${CHECKS.length - passed} failed`);
process.exitCode = passed === CHECKS.length ? 0 : 1;

async function holds({ title, run }: StressCheck): Promise<boolean> {
  const started = performance.now();
  try {
    await within(CHECK_MS, run(ground));
    console.log(`ok   ${title} (${Math.round(performance.now() - started)} ms)`);
    return true;
  } catch (error) {
    console.log(`FAIL ${title}\n${error instanceof Error ? error.stack : String(error)}`);
    return false;
  }
}
