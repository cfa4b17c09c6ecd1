import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const MARK = "DAEMON_SDK_TEST_RUN";

/**
 * Before all tests: marks this run in the environment. After them: no process that inherited the mark may be left, such
 * as a daemon that a test forgot. Works where there is a /proc; elsewhere it looks at nothing.
 */
export default function markThisRun(): () => void {
  const mark = `${MARK}=${randomUUID()}`;
  process.env[MARK] = mark.slice(MARK.length + 1);
  return () => {
    const left = existsSync("/proc") ? readdirSync("/proc").filter((pid) => isLeftover(pid, mark)) : [];
    if (left.length === 0) return;
    const list = left.map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ")}`);
    // The runner prints what a teardown throws, and ends with 0 nevertheless.
    process.exitCode = 1;
    throw new Error(`Tests left ${left.length} processes behind:\n${list.join("\n")}`);
  };
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
