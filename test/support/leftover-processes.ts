import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const MARK = "DAEMON_SDK_TEST_RUN";
/** What ends because the runner's workers have ended (a bundler's service) may take this long, on a busy machine. */
const GRACE = "DAEMON_SDK_TEST_GRACE_MS";
const GRACE_MS = Number(process.env[GRACE] ?? 20_000);
const POLL_MS = 50;

/**
 * Before all tests: marks this run in the environment. After them: no process that inherited the mark may be left, such
 * as a daemon that a test forgot. Works where there is a /proc; elsewhere it looks at nothing.
 */
export default function markThisRun(): () => Promise<void> {
  const mark = `${MARK}=${randomUUID()}`;
  process.env[MARK] = mark.slice(MARK.length + 1);
  return async () => {
    const deadline = performance.now() + GRACE_MS;
    let left = leftovers(mark);
    while (left.length > 0 && performance.now() < deadline) {
      await delay(POLL_MS);
      left = leftovers(mark);
    }
    if (left.length === 0) return;
    // The runner prints what a teardown throws, and ends with 0 nevertheless.
    process.exitCode = 1;
    const list = left.map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ")}`);
    throw new Error(`Tests left ${left.length} processes behind:\n${list.join("\n")}`);
  };
}

function leftovers(mark: string): string[] {
  return existsSync("/proc") ? readdirSync("/proc").filter((pid) => isLeftover(pid, mark)) : [];
}

function isLeftover(pid: string, mark: string): boolean {
  // The runner's own workers end after this.
  return /^\d+$/.test(pid) && read(pid, "environ").includes(mark) && !/vitest|tinypool/.test(read(pid, "cmdline"));
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
