import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 20;
const GIVE_UP_MS = 15_000;

/** Whether a process of that pid exists, from the system's process table. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Pids of the living children of `pid`. */
export function childrenOf(pid: number): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  if (existsSync(list)) return readFileSync(list, "utf8").split(" ").filter(Boolean).map(Number);
  const table = execFileSync("ps", ["-axo", "pid=,ppid="], { encoding: "utf8" });
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return rows.flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}

/** Resolves when no process of that pid exists. Rejects after 15 s. */
export async function processEnded(pid: number): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Error(`Process ${pid} has not ended within ${GIVE_UP_MS} ms.`);
    // The system notifies only the parent of a process, so this program polls.
    await delay(POLL_MS);
  }
}
