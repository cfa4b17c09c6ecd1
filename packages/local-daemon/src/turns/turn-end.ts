import {
  DaemonError,
  isKnownNotification,
  ProcessExitError,
  type SessionNotification,
  type TokenUsage,
} from "@daemon-sdk/protocol";
import type { AgentTurnEnd } from "../agents/index.js";
import type { OpenTurn } from "./open-turn.js";

/**
 * The last entries of a turn, in an order that every client supports: the error, the end with its reason, idle.
 *
 * A client of the original ends its stream at a change to idle and ignores reasons (docs/wire/session.md#streams). So a busy
 * state precedes if the turn had none, and an `error` if the agent died.
 *
 * @param wasBusy whether the session is at work: an agent's own idle is held back while a turn runs
 */
export function closingNotifications(
  turnId: string,
  end: AgentTurnEnd,
  wasBusy: boolean,
  now: number,
): SessionNotification[] {
  const { reason, details } = bounded(end);
  const words: SessionNotification[] = [];
  if (!wasBusy) words.push({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  if (reason === "agent_exited") {
    const message = typeof details.message === "string" ? details.message : "The agent ended before its turn did.";
    words.push({ type: "error", message, errorType: "ProcessExitError", timestamp: new Date(now).toISOString() });
  }
  words.push({ ...details, type: "agent_turn_completed", reason, turnId });
  words.push({ type: "droid_working_state_changed", newState: "idle" });
  return words;
}

/**
 * The end of a turn in which something of the agent was lost: without an answer that clients could be sent, it is no success,
 * whatever the agent calls it.
 */
export function endWithLoss(end: AgentTurnEnd, { row, loss }: Pick<OpenTurn, "row" | "loss">): AgentTurnEnd {
  if (end.reason !== "completed" || loss === undefined || row.answerId !== undefined) return end;
  return { reason: "error", details: { ...end.details, code: loss.code, message: loss.message } };
}

/** The end of a turn that the daemon interrupted by itself, with its reason. */
export function endWithWhy(end: AgentTurnEnd, { why }: Pick<OpenTurn, "why">): AgentTurnEnd {
  const isExplained = end.reason === "completed" || typeof end.details.message === "string";
  return why === undefined || isExplained ? end : { ...end, details: { ...end.details, message: why } };
}

/** Largest details of an end that are passed on, in UTF-16 units: the end itself always reaches the clients. */
const DETAILS_CHARS = 64 * 1024;
const REASON_CHARS = 200;

function bounded({ reason, details }: AgentTurnEnd): AgentTurnEnd {
  return {
    reason: reason.slice(0, REASON_CHARS),
    details: JSON.stringify(details).length <= DETAILS_CHARS ? details : {},
  };
}

/** What the turn used, as its last entries state it. */
export function usageIn(words: readonly SessionNotification[]): TokenUsage | undefined {
  const end = words.find(({ type }) => type === "agent_turn_completed");
  const isStated = end !== undefined && isKnownNotification(end) && end.type === "agent_turn_completed";
  return isStated ? end.tokenUsage : undefined;
}

/** The end of a turn whose prompt did not reach the agent, or was refused by it. */
export function endOfFailure(error: unknown): AgentTurnEnd & { readonly details: { code: string; message: string } } {
  const message = error instanceof Error ? error.message : String(error);
  const code = DaemonError.is(error) ? error.code : "INTERNAL";
  const exit = error instanceof ProcessExitError ? { exitCode: error.exitCode, signal: error.signal } : {};
  const isGone = error instanceof ProcessExitError || code === "AGENT_UNSTABLE";
  return { reason: isGone ? "agent_exited" : "error", details: { message, code, ...exit } };
}

/** The end of a turn that was open when an earlier daemon ended, and whose prompt an agent may have received. */
export const LOST_END: AgentTurnEnd = {
  reason: "daemon_restarted",
  details: { message: "The daemon that ran this turn ended before it did; how far the agent came is not known." },
};
