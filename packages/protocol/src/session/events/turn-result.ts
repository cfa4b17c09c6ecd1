import { withoutUndefined } from "../../base/index.js";
import type { AgentTurnCompleted, SessionNotification } from "../notifications.js";
import type { TokenUsage } from "../values.js";
import type {
  DefaultEvent,
  ErrorEvent,
  ResultEvent,
  ResultSubtype,
  StructuredOutputError,
  TurnError,
} from "./events.js";

/** What became of the structured output that was requested. */
export type StructuredOutcome = { readonly value: unknown } | { readonly error: StructuredOutputError };

/**
 * Everything a result is made of.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#results
 */
export interface TurnOutcome {
  readonly sessionId: string;
  readonly messageId: string;
  readonly durationMs: number;
  readonly messages: DefaultEvent[];
  readonly text: string;
  readonly tokenUsage: TokenUsage | null;
  readonly errors: readonly TurnError[];
  readonly wasInterrupted: boolean;
  /** From `agent_turn_completed`; undefined when the session went idle without one. */
  readonly reason: string | undefined;
  /** Absent when no structured output was requested, or none can be expected. */
  readonly structured?: StructuredOutcome;
}

/** Reasons of `agent_turn_completed` for an interrupted turn. */
const INTERRUPTED_REASONS: ReadonlySet<string> = new Set(["cancelled", "interrupted"]);

/**
 * Reasons of a failed turn, each with the message for a daemon that sends none (docs/wire/agent-stdio.md#turn-end;
 * docs/protocol.md, "Turns").
 */
const FAILED_REASONS: ReadonlyMap<string, string> = new Map([
  ["error", "The agent ended the turn with an error."],
  ["model_authentication_failed", "The model refused the agent's credential."],
  ["agent_exited", "The agent's process ended in the turn."],
  ["daemon_restarted", "The daemon was restarted in the turn; what the agent did until then is kept."],
]);

/** Whether that reason means the turn was interrupted. Unknown reasons do not: a newer daemon may have more of them. */
export function isInterruptedReason(reason: string): boolean {
  return INTERRUPTED_REASONS.has(reason);
}

/**
 * The error that a turn's end states. Undefined when its reason is no failure, and for an interrupted turn without a message: who
 * interrupts knows why, and a turn that the daemon ended says why.
 */
export function errorOfEnd(reason: string, end: SessionNotification | AgentTurnCompleted): TurnError | undefined {
  if (isInterruptedReason(reason) && typeof end.message === "string") {
    return { message: end.message, errorType: "Error" };
  }
  const fallback = FAILED_REASONS.get(reason);
  if (fallback === undefined) return undefined;
  const message = typeof end.message === "string" ? end.message : fallback;
  if (reason !== "agent_exited") return { message, errorType: "Error" };
  return {
    message,
    errorType: "ProcessExitError",
    // Not the code that was received: codes are of a closed list, which is too long to load in a page.
    code: end.code === "AGENT_UNSTABLE" ? "AGENT_UNSTABLE" : "PROCESS_EXITED",
    exitCode: typeof end.exitCode === "number" ? end.exitCode : null,
    signal: typeof end.signal === "string" ? end.signal : null,
  };
}

/** An `error` event as an entry of `result.errors`. */
export function errorOfEvent({ message, errorType, timestamp }: ErrorEvent): TurnError {
  return { message, errorType, ...withoutUndefined({ timestamp }) };
}

/** The `result` event of a turn. Pure; rank: interrupted, structured output, errors, success. */
export function resultOfTurn(outcome: TurnOutcome): ResultEvent {
  const { sessionId, messageId, durationMs, text, tokenUsage, messages, reason, structured } = outcome;
  const subtype = subtypeOf(outcome);
  const success = subtype === "success";
  const [error] = outcome.errors;
  return withoutUndefined({
    ...({ type: "result", subtype, turnCount: 1, numTurns: 1 } as const),
    ...{ sessionId, messageId, durationMs, text, result: text, tokenUsage, messages },
    ...{ success, isError: !success, interrupted: subtype === "interrupted", reason },
    ...structuredFields(structured),
    ...{ error, errors: error && [...outcome.errors] },
  });
}

function subtypeOf({ wasInterrupted, structured, errors }: TurnOutcome): ResultSubtype {
  if (wasInterrupted) return "interrupted";
  if (structured !== undefined && "error" in structured) return "error_structured_output";
  return errors.length === 0 ? "success" : "error_during_execution";
}

function structuredFields(structured: StructuredOutcome | undefined): Partial<ResultEvent> {
  if (structured === undefined) return {};
  return "error" in structured ? { structuredOutputError: structured.error } : { structuredOutput: structured.value };
}
