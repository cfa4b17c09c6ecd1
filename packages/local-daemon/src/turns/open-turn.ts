import {
  type AddUserMessageParams,
  DaemonError,
  ProcessExitError,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { Agent, AgentTurnEnd } from "../agents/index.js";
import { messageText } from "../conversation/index.js";
import type { SessionClient } from "../journal/index.js";
import type { StoreWrite, TurnRow } from "../storage/index.js";

/** A turn that has not ended. */
export interface OpenTurn {
  row: TurnRow;
  readonly params: AddUserMessageParams;
  /** Whose prompt it is; undefined after a restart. */
  readonly starter: SessionClient | undefined;
  /** First entry of the journal that belongs to it; set when it starts. */
  firstSeq: number | undefined;
  /** Set while the agent has the prompt. */
  agent: Agent | undefined;
  /** Whether the session was seen working in it. */
  wasBusy: boolean;
  /** Waits for the end of an interrupted turn. */
  timer: NodeJS.Timeout | undefined;
}

/** A turn that waits for its place. */
export function openTurn(row: TurnRow, params: AddUserMessageParams, starter?: SessionClient): OpenTurn {
  return { row, params, starter, firstSeq: undefined, agent: undefined, wasBusy: false, timer: undefined };
}

/** The row of a turn that this change of the conversation gives an answer; undefined when it gives none. */
export function answeredRow(turn: OpenTurn | undefined, write: StoreWrite | undefined): TurnRow | undefined {
  if (turn === undefined || write?.kind !== "message") return undefined;
  const { message } = write;
  return message.role === "assistant" && messageText(message) !== ""
    ? { ...turn.row, answerId: message.id }
    : undefined;
}

/** The row of a message that was just taken in. */
export function acceptedRow(
  body: AddUserMessageParams,
  place: Pick<TurnRow, "sessionId" | "id" | "ordinal" | "requestId" | "createdAt">,
): TurnRow {
  return { ...place, state: "accepted", body: JSON.stringify(body), reason: undefined, endedAt: undefined };
}

/**
 * The last words of a turn, in an order every client can work with: what went wrong, the end with its reason, idle.
 *
 * A client of the original ends its stream at a change to idle and knows no reasons (docs/wire/session.md#streams): it
 * gets a busy state first where the turn showed none, and an `error` where the agent died.
 */
export function lastWords(turn: OpenTurn, end: AgentTurnEnd, isIdle: boolean, now: number): SessionNotification[] {
  const { reason, details } = end;
  const words: SessionNotification[] = [];
  if (isIdle && !turn.wasBusy) {
    words.push({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  }
  if (reason === "agent_exited") {
    const message = typeof details.message === "string" ? details.message : "The agent ended before its turn did.";
    words.push({ type: "error", message, errorType: "ProcessExitError", timestamp: new Date(now).toISOString() });
  }
  words.push({ ...details, type: "agent_turn_completed", reason, turnId: turn.row.id });
  words.push({ type: "droid_working_state_changed", newState: "idle" });
  return words;
}

/** The end of a turn whose prompt did not reach the agent, or was not taken by it. */
export function endOfFailure(error: unknown): AgentTurnEnd & { readonly details: { code: string; message: string } } {
  const message = error instanceof Error ? error.message : String(error);
  const code = DaemonError.is(error) ? error.code : "INTERNAL";
  const exit = error instanceof ProcessExitError ? { exitCode: error.exitCode, signal: error.signal } : {};
  const isGone = error instanceof ProcessExitError || code === "AGENT_UNSTABLE";
  return { reason: isGone ? "agent_exited" : "error", details: { message, code, ...exit } };
}

/** The end of a turn that an earlier daemon left open, and an agent may have seen. */
export const LOST_END: AgentTurnEnd = {
  reason: "daemon_restarted",
  details: { message: "The daemon that ran this turn ended before it did; how far the agent came is not known." },
};
