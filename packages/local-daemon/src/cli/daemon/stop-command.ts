import { ConnectionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { isSameProcess, startTimeOf } from "../../agents/index.js";
import { AGENT_LIMITS, DAEMON_LIMITS } from "../../limits/index.js";
import { pause, probeLocalDaemon } from "../../rendezvous/index.js";
import { millisecondsOf } from "../arguments.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import type { Terminal } from "../terminal.js";

/** Adds `stop`. */
export function addStopCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "stop", "stop the daemon; running turns get a few seconds to finish")
    .option("--now", "interrupt running turns at once", false)
    .option("-w, --wait <seconds>", "how long running turns may take until they are ended", millisecondsOf)
    .action(
      cli.action((context, { now, wait }: { now: boolean; wait?: number }) =>
        stop({ ...context, now, waitMs: now ? undefined : wait }),
      ),
    );
}

/** `local-daemon stop`. */
export interface StopOptions {
  readonly stateDir: string;
  /** Does not wait for running turns. */
  readonly now: boolean;
  /** How long running turns may take, in ms. Default: a few seconds. */
  readonly waitMs?: number | undefined;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Time for a daemon to end after its drain: agents get the end of stdin, SIGTERM, SIGKILL. */
const STOP_MS = DAEMON_LIMITS.drainMs + AGENT_LIMITS.stdinGraceMs + 2 * AGENT_LIMITS.termGraceMs;

/**
 * Signals the daemon to stop, and waits for the exit of its process. Only a daemon that has proven itself is signalled,
 * because only then the recorded pid is certain.
 */
export async function stop({ stateDir, now, waitMs, json, terminal }: StopOptions): Promise<number> {
  const found = await probeLocalDaemon(stateDir);
  if (found === undefined) {
    if (json) terminal.json({ stopped: false });
    else terminal.answer("No daemon is running.\n");
    return EXIT.ok;
  }
  const { pid } = found.record;
  // With the start time, so that a later process of the same pid is not mistaken for the daemon.
  const startTime = await startTimeOf(pid);
  found.link.transport.terminate();
  using _progress = terminal.progress("Waiting for running turns and agents to end");
  if (waitMs === undefined) signalStop(pid, now);
  else await stopInTime(stateDir, waitMs);
  const since = performance.now();
  while (startTime !== undefined && (await isSameProcess(pid, startTime))) {
    if (performance.now() - since > STOP_MS) {
      throw new ConnectionError(
        "DAEMON_ALREADY_RUNNING",
        `Process ${pid} has not ended within ${STOP_MS} ms. See its log.`,
      );
    }
    await pause(since, new AbortController().signal);
  }
  if (json) terminal.json({ stopped: true, pid });
  else terminal.answer(`Stopped (pid ${pid}).\n`);
  return EXIT.ok;
}

async function stopInTime(stateDir: string, waitMs: number): Promise<void> {
  // Loaded here, so that other commands do not load the daemon.
  const { askToStop } = await import("../../hand-over/index.js");
  await askToStop({ stateDir, waitMs });
}

function signalStop(pid: number, now: boolean): void {
  process.kill(pid, "SIGTERM");
  if (now) process.kill(pid, "SIGTERM");
}
