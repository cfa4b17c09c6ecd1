/**
 * Processes that work in a folder: with its path in their command line or in their environment. Reads /proc; where there is
 * none, it finds none.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 100;

/** Waits until no process works in `folder`. Resolves to those that are left after `patienceMs`, as `pid command line`. */
export async function leftIn(folder, patienceMs) {
  const deadline = performance.now() + patienceMs;
  let left = processesIn(folder);
  while (left.length > 0 && performance.now() < deadline) {
    await delay(POLL_MS);
    left = processesIn(folder);
  }
  return left.map(({ pid, command }) => `${pid} ${command}`);
}

/** Ends what {@link leftIn} found. */
export function killIn(folder) {
  for (const { pid } of processesIn(folder)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

function processesIn(folder) {
  if (!existsSync("/proc")) return [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const all = pids.map((pid) => ({
    pid: Number(pid),
    command: read(pid, "cmdline"),
    environment: read(pid, "environ"),
  }));
  return all.filter(({ command, environment }) => command.includes(folder) || environment.includes(folder));
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1").replaceAll("\0", " ").trim();
  } catch {
    // The process has ended, or belongs to another user.
    return "";
  }
}
