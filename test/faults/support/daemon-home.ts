import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 10;

/** A state directory of a scenario's own; its daemon is ended with it. */
export interface DaemonHome extends AsyncDisposable {
  /** Does not exist yet. */
  readonly state: string;
  /**
   * Waits until `pid` is the only process that was started for this directory: daemons that lost the race need a moment to find
   * out, and would win the next one.
   */
  alone(pid: number): Promise<void>;
}

/** Makes a place for a state directory. */
export function daemonHome(): DaemonHome {
  const directory = mkdtempSync(join(tmpdir(), "home-"));
  const state = join(directory, "state");
  return {
    state,
    async alone(pid) {
      while (processesOf(state).some((other) => other !== pid)) await delay(POLL_MS);
    },
    async [Symbol.asyncDispose]() {
      const path = join(state, "endpoint.json");
      if (existsSync(path)) await ended(pidIn(path), "SIGTERM");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function pidIn(path: string): number {
  try {
    return Number((JSON.parse(readFileSync(path, "utf8")) as { pid?: unknown }).pid);
  } catch {
    return 0;
  }
}

/** Signals a process and waits until it has ended, or is a zombie that only its parent can reap. */
export async function ended(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!(pid > 1) || pid === process.pid) return;
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
  while (isRunning(pid)) await delay(POLL_MS);
}

/** Whether a process of that pid does anything still. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function processesOf(state: string): number[] {
  if (!existsSync("/proc/self/environ")) return [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => environmentOf(pid).includes(`\0DAEMON_SDK_HOME=${state}\0`));
}

/** The environment a process was started with, each variable between two NULs; empty when it cannot be read. */
export function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}`;
  } catch {
    return "";
  }
}
