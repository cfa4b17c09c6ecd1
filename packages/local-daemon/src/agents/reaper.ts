import type { Logger } from "@daemon-sdk/protocol";
import type { AgentProcessRow } from "../storage/index.js";
import { type MarkedProcess, MarkedProcessSweeper, sendSignal, waitUntilGone } from "./marked-processes.js";
import { isSameProcess } from "./process-identity.js";

/** Options of {@link reapLeftovers}. */
export interface ReapOptions {
  /** The `DAEMON_SDK_AGENT_STATE` of this daemon's agents: finds also those whose row was not yet committed. */
  readonly agentStateDir?: string;
  /** Agents of an earlier daemon that run on, and are no leftovers: those that a holder has. */
  readonly held?: readonly HeldMark[] | undefined;
}

/** The marks of an agent that is held, and of its children. */
export interface HeldMark {
  readonly instanceId: string;
  readonly sessionId: string;
}

/**
 * Kills the agents that earlier daemons of this state directory left running; resolves with how many processes it killed,
 * once they are gone. Run it before sessions are recovered, or two agents work on one conversation.
 *
 * It kills only what is certain: a pid whose start time is the recorded one (pids are used again), with its process group,
 * and on Linux processes that carry the marker of such an earlier daemon. SIGKILL at once: their daemon is dead, so their
 * stdin ended long ago, and the start of this daemon waits for it.
 */
export async function reapLeftovers(
  rows: readonly AgentProcessRow[],
  currentInstance: string,
  logger: Logger,
  options: ReapOptions = {},
): Promise<number> {
  const isHeld = (mark: { instanceId: string; sessionId: string | undefined }) =>
    options.held?.some((held) => held.instanceId === mark.instanceId && held.sessionId === mark.sessionId) === true;
  const earlier = rows.filter((row) => row.instanceId !== currentInstance && !isHeld(row));
  const alive = await Promise.all(earlier.map((row) => isSameProcess(row.pid, row.startTime)));
  const leaders = earlier.filter((_, index) => alive[index]);
  for (const row of leaders) {
    // An agent leads a group of its own; one that has moved to another group is killed alone.
    sendSignal(-row.pid, "SIGKILL");
    sendSignal(row.pid, "SIGKILL");
    logger.warn({ pid: row.pid, session: row.sessionId }, "Killed an agent that an earlier daemon left behind.");
  }
  const immortal = await waitUntilGone(leaders);
  if (immortal.length > 0)
    logger.error({ pids: immortal.map(({ pid }) => pid) }, "Could not kill some leftover agents.");

  const instances = new Set(earlier.map((row) => row.instanceId));
  const ofEarlier = (marked: MarkedProcess) =>
    marked.instanceId !== currentInstance &&
    !isHeld(marked) &&
    (instances.has(marked.instanceId) ||
      (marked.agentStateDir !== undefined && marked.agentStateDir === options.agentStateDir));
  return leaders.length - immortal.length + (await new MarkedProcessSweeper(logger).kill(ofEarlier));
}
