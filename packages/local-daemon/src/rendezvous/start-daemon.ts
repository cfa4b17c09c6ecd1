import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ConnectionError, DAEMON_ERROR_CODES, type DaemonErrorCode } from "@daemon-sdk/protocol";
import { PROCESS_LIMITS } from "../limits/index.js";
import type { EndpointRecord } from "./endpoint-file.js";
import { EndpointWatch } from "./endpoint-watch.js";
import { DAEMON_EXIT } from "./exit-codes.js";
import { type DaemonLaunch, type LaunchExit, type Launched, LaunchTurn, launchDaemon } from "./launch/index.js";
import { writePrivateFile } from "./private-file.js";
import { probeLocalDaemon } from "./probe.js";
import { openStateDir, STATE_FILES } from "./state-dir.js";

/** A daemon that is up, and whether the process we started is it. */
export interface StartedDaemon {
  readonly record: EndpointRecord;
  readonly started: boolean;
}

interface Wait {
  readonly stateDir: string;
  readonly watch: EndpointWatch;
  readonly signal: AbortSignal;
}

/**
 * Starts a daemon for `stateDir` and waits until one proves itself there: ours, or that of somebody who was faster.
 *
 * Any number of programs may do so at once: one of them launches it and the others wait. Where two launch one all the same,
 * the lock lets one daemon win, the other leaves, and everybody finds the winner. A process that was started is never killed by us: it may be the winner in the next moment.
 * Rejects with `DAEMON_START_FAILED` (the end of the log in the message), `STATE_DIR_UNSAFE`, the daemon's own error where a
 * later start would fail by it, too (such as `STORAGE_FAILED` or `INVALID_OPTION`), or the signal's reason.
 */
export async function startDaemon(launch: DaemonLaunch, signal: AbortSignal): Promise<StartedDaemon> {
  const { stateDir } = launch;
  await openStateDir(stateDir);
  using watch = new EndpointWatch(stateDir);
  const wait: Wait = { stateDir, watch, signal };
  const turn = new LaunchTurn(stateDir);
  try {
    for (;;) {
      // Again when another daemon had the lock but never answered: it may have been on its way out.
      const up = (await found(turn, wait)) ?? (await launchInTurn(turn, wait, launch));
      if (up !== undefined) return up;
    }
  } finally {
    await turn.release();
  }
}

/** How {@link replaceDaemon} replaces the daemon that runs. */
export interface Replacement extends DaemonLaunch {
  /** How long its turns may take, in ms, and are ended then. Default: they run on under the new daemon. */
  readonly waitMs?: number | undefined;
}

/**
 * Starts a daemon that takes the place of the one that runs, and waits until it proves itself. Other programs start none meanwhile.
 *
 * Rejects as {@link startDaemon} does when the new daemon does not come up; the former one goes on then.
 */
export async function replaceDaemon(replacement: Replacement, signal: AbortSignal): Promise<EndpointRecord> {
  const { stateDir, waitMs, args = [] } = replacement;
  using watch = new EndpointWatch(stateDir);
  const wait: Wait = { stateDir, watch, signal };
  const turn = new LaunchTurn(stateDir);
  try {
    while (!(await turn.take())) await watch.next(signal);
    using _prolonged = turn.prolong();
    const waiting = waitMs === undefined ? [] : ["--wait", String(waitMs)];
    const launched = await launchDaemon({ ...replacement, args: [...args, "--take-over", ...waiting] });
    return await untilItself(launched, wait, PROCESS_LIMITS.startMs + (waitMs ?? 0));
  } finally {
    await turn.release();
  }
}

/** The launched daemon itself, once it has proven itself. */
async function untilItself(launched: Launched, wait: Wait, patienceMs: number): Promise<EndpointRecord> {
  let exit: LaunchExit | undefined;
  void launched.exited.then((end) => {
    exit = end;
    wait.watch.wake();
  });
  for (;;) {
    const found = await probeLocalDaemon(wait.stateDir, wait.signal);
    found?.link.transport.terminate();
    if (found !== undefined && found.record.pid === launched.pid) return found.record;
    if (exit !== undefined) throw await startFailure(wait.stateDir, launched, exit);
    if (wait.watch.elapsedMs > patienceMs) throw neverReady(wait.stateDir, launched.pid);
    await wait.watch.next(wait.signal);
  }
}

/** The daemon, once it is not to be expected any more from a launch of somebody else's. */
async function found(turn: LaunchTurn, wait: Wait): Promise<StartedDaemon | undefined> {
  while (!(await turn.isFree())) {
    if (wait.watch.elapsedMs > PROCESS_LIMITS.startMs) throw neverReady(wait.stateDir, undefined);
    await wait.watch.next(wait.signal);
  }
  const there = await probeLocalDaemon(wait.stateDir, wait.signal);
  there?.link.transport.terminate();
  return there && { record: there.record, started: false };
}

/** Undefined when somebody else took the turn first, or when ours lost to a daemon that stays silent. */
async function launchInTurn(turn: LaunchTurn, wait: Wait, launch: DaemonLaunch): Promise<StartedDaemon | undefined> {
  if (!(await turn.take())) return undefined;
  return untilProven(await launchDaemon(launch), wait);
}

/** The daemon that proved itself, or undefined when ours lost to one that stays silent. */
async function untilProven(launched: Launched, wait: Wait): Promise<StartedDaemon | undefined> {
  let exit: LaunchExit | undefined;
  let lostAt = Number.POSITIVE_INFINITY;
  void launched.exited.then((end) => {
    exit = end;
    lostAt = performance.now();
    wait.watch.wake();
  });
  for (;;) {
    const found = await probeLocalDaemon(wait.stateDir, wait.signal);
    if (found !== undefined) {
      found.link.transport.terminate();
      return { record: found.record, started: found.record.pid === launched.pid };
    }
    if (exit !== undefined && exit.exitCode !== DAEMON_EXIT.alreadyRunning)
      throw await startFailure(wait.stateDir, launched, exit);
    if (wait.watch.elapsedMs > PROCESS_LIMITS.startMs)
      throw neverReady(wait.stateDir, exit === undefined ? launched.pid : undefined);
    if (performance.now() - lostAt > PROCESS_LIMITS.probeMs) return undefined;
    await wait.watch.next(wait.signal);
  }
}

async function startFailure(stateDir: string, launched: Launched, exit: LaunchExit): Promise<ConnectionError> {
  const how = exit.error?.message ?? (exit.signal === null ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`);
  const tail = await launched.logTail();
  const refusal = exit.exitCode === DAEMON_EXIT.refused ? refusalIn(tail) : undefined;
  if (refusal !== undefined) {
    return new ConnectionError(refusal.code, `The local daemon cannot start. ${refusal.message}`);
  }
  // On a full disk it could not even say why.
  const said = tail === "" ? await writeFault(stateDir) : `It said:\n${tail}`;
  return new ConnectionError("DAEMON_START_FAILED", `The local daemon ended before it was ready (${how}). ${said}`, {
    cause: exit.error,
  });
}

/** The error that ended the daemon: `runDaemon` writes its code and text, and nothing follows. */
function refusalIn(tail: string): { code: DaemonErrorCode; message: string } | undefined {
  const [, code = "", message = ""] = /^([A-Z_]+): ([\s\S]+)$/.exec(tail.slice(lastRefusal(tail))) ?? [];
  return Object.hasOwn(DAEMON_ERROR_CODES, code)
    ? { code: code as DaemonErrorCode, message: message.trim() }
    : undefined;
}

function lastRefusal(tail: string): number {
  return Math.max(0, ...[...tail.matchAll(/^[A-Z_]+: /gm)].map(({ index }) => index));
}

/** Why nothing can be written in the state directory, if that is so. */
async function writeFault(stateDir: string): Promise<string> {
  const path = join(stateDir, "write-check");
  try {
    await writePrivateFile(path, " ".repeat(PROCESS_LIMITS.diskCheckBytes));
    return "It wrote nothing.";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
}

function neverReady(stateDir: string, pid: number | undefined): ConnectionError {
  const who =
    pid === undefined ? "Another daemon holds the state directory, but does" : `Process ${pid} was started, but did`;
  return new ConnectionError(
    "DAEMON_START_FAILED",
    `${who} not answer within ${PROCESS_LIMITS.startMs} ms. Look at ${join(stateDir, STATE_FILES.log)}, ` +
      `or end the process that has ${join(stateDir, STATE_FILES.lock)} open, and try again.`,
  );
}
