import { readdir, readFile } from "node:fs/promises";
import type { Logger } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../limits/index.js";
import { AGENT_MARKERS } from "./environment.js";
import { isSameProcess, startTimeOf } from "./process-identity.js";

/** A process that was started, directly or not, by an agent of some daemon. */
export interface MarkedProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly instanceId: string;
  readonly sessionId: string | undefined;
  readonly terminalId: string | undefined;
  readonly agentStateDir: string | undefined;
}

/**
 * Every process of this machine that carries our markers and may be read, this one excepted.
 *
 * Linux only, elsewhere it is always empty: no other system shows one program the environment of another. It finds what a
 * process group cannot: grandchildren that called `setsid`.
 */
export async function listMarkedProcesses(): Promise<MarkedProcess[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const marked: MarkedProcess[] = [];
  for (let from = 0; from < pids.length; from += AGENT_LIMITS.procReadsAtOnce) {
    const found = await Promise.all(pids.slice(from, from + AGENT_LIMITS.procReadsAtOnce).map(readMarks));
    for (const one of found) if (one !== undefined) marked.push(one);
  }
  return marked;
}

async function readMarks(pid: number): Promise<MarkedProcess | undefined> {
  if (pid === process.pid) return undefined;
  let environment: string;
  try {
    environment = await readFile(`/proc/${pid}/environ`, "latin1");
  } catch {
    // Another user's, or gone meanwhile.
    return undefined;
  }
  const instanceId = markOf(environment, AGENT_MARKERS.instance);
  if (instanceId === undefined) return undefined;
  const startTime = await startTimeOf(pid);
  if (startTime === undefined) return undefined;
  return {
    pid,
    startTime,
    instanceId,
    sessionId: markOf(environment, AGENT_MARKERS.session),
    terminalId: markOf(environment, AGENT_MARKERS.terminal),
    agentStateDir: markOf(environment, AGENT_MARKERS.state),
  };
}

/** A variable of an environment block as the kernel shows it: `NAME=value`, each ended by a NUL. */
function markOf(block: string, name: string): string | undefined {
  const text = `\0${block}`;
  const at = text.indexOf(`\0${name}=`);
  if (at < 0) return undefined;
  const from = at + name.length + 2;
  const to = text.indexOf("\0", from);
  return Buffer.from(text.slice(from, to < 0 ? undefined : to), "latin1").toString("utf8");
}

/** Sends a signal to one process, or with a negative pid to a group. False when there is nobody, or it is not ours. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Resolves when those very processes are dead, or after two seconds with those that are not. */
export async function waitUntilGone<P extends Pick<MarkedProcess, "pid" | "startTime">>(
  processes: readonly P[],
): Promise<P[]> {
  let left = [...processes];
  for (const deadline = performance.now() + AGENT_LIMITS.goneWaitMs; ; ) {
    const alive = await Promise.all(left.map((one) => isSameProcess(one.pid, one.startTime)));
    left = left.filter((_, index) => alive[index]);
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, AGENT_LIMITS.gonePollMs));
  }
}

/**
 * Kills what dead agents left behind, found by the markers. One scan of `/proc` serves every session that ended since the
 * last one, so a daemon that stops with a thousand agents does not scan a thousand times.
 */
export class MarkedProcessSweeper {
  readonly #logger: Logger;
  #running: Promise<MarkedProcess[]> = Promise.resolve([]);
  #queued: Promise<MarkedProcess[]> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Kills the marked processes that `belongs` picks, and what they fork meanwhile. Resolves with how many it killed. */
  async kill(belongs: (marked: MarkedProcess) => boolean): Promise<number> {
    let killed = 0;
    for (let round = 0; round < AGENT_LIMITS.sweepRounds; round++) {
      const leftovers = (await this.#scan()).filter(belongs);
      if (leftovers.length === 0) return killed;
      for (const { pid } of leftovers) sendSignal(pid, "SIGKILL");
      const immortal = await waitUntilGone(leftovers);
      killed += leftovers.length - immortal.length;
      const pids = leftovers.map(({ pid }) => pid);
      this.#logger.info({ pids, immortal: immortal.length }, "Killed processes that an agent left behind.");
    }
    return killed;
  }

  /** A scan that starts after this call; calls that come before it starts share it. */
  #scan(): Promise<MarkedProcess[]> {
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined;
      this.#running = listMarkedProcesses();
      return this.#running;
    });
    return this.#queued;
  }
}
