import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isSameProcess, startTimeOf } from "../../src/agents/process-identity.js";
import { tempHome } from "./temp-home.js";

/** A state directory of the test's own, whose daemons are gone at the end. */
export interface DaemonHome extends AsyncDisposable {
  readonly state: string;
  /** Puts a file into the state directory, as its owner would. */
  write(name: string, content: string): Promise<void>;
  read(name: string): string;
  /** Ends the daemon that is published, politely. */
  stop(): Promise<void>;
}

export function daemonHome(): DaemonHome {
  const home = tempHome();
  const { state } = home;
  const stop = async () => {
    if (existsSync(join(state, "endpoint.json"))) await ended(JSON.parse(read("endpoint.json")).pid, "SIGTERM");
  };
  const read = (name: string) => readFileSync(join(state, name), "utf8");
  return {
    state,
    read,
    stop,
    async write(name, content) {
      await mkdir(state, { mode: 0o700, recursive: true });
      await writeFile(join(state, name), content, { mode: 0o600 });
    },
    async [Symbol.asyncDispose]() {
      await stop();
      home[Symbol.dispose]();
    },
  };
}

/** Signals a process and waits until it is gone; a process that is not our child tells nobody. */
export async function ended(pid: number | undefined, signal: NodeJS.Signals): Promise<void> {
  const startTime = pid === undefined || pid === process.pid ? undefined : await startTimeOf(pid);
  if (pid === undefined || startTime === undefined) return;
  process.kill(pid, signal);
  while (await isSameProcess(pid, startTime)) await delay(10);
}

/**
 * Waits until `pid` is the only process that was started for this state directory: daemons that lost the race need a
 * moment to find out, and would win the next one. Linux only; elsewhere the environment of others cannot be read.
 */
export async function aloneIn(state: string, pid: number): Promise<void> {
  if (process.platform !== "linux") return;
  while ((await processesOf(state)).some((other) => other !== pid)) await delay(10);
}

async function processesOf(state: string): Promise<number[]> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => environmentOf(pid).includes(`\0DAEMON_SDK_HOME=${state}\0`));
}

function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}`;
  } catch {
    return "";
  }
}
