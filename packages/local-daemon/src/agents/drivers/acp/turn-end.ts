import { isRecord, ProtocolError, type TokenUsage } from "@daemon-sdk/protocol";
import type { AgentTurnEnd } from "../../agent.js";
import { textOf } from "./content.js";

/** The agent wants a person to log in (docs/wire/acp.md#errors). */
export const AUTH_REQUIRED = -32000;

/** What the driver knows of a turn beside the answer to its prompt. */
export interface TurnFacts {
  /** We sent a cancel: whatever the agent answers, the turn was cancelled. */
  readonly isCancelled: boolean;
  /** The agent reported beside the conversation that its model failed. */
  readonly systemError: string | undefined;
  /** A person refused a tool in this turn. */
  readonly hasRefusal: boolean;
  /** Whether the agent wrote anything or used a tool. */
  readonly hasContent: boolean;
}

const EMPTY_TURN =
  "The agent ended the turn without a text, a tool or an error. Its model may have failed; see its log.";

/** How a turn ended whose prompt was answered by a result (docs/wire/acp.md#ends). */
export function endOfResult(result: unknown, facts: TurnFacts): AgentTurnEnd {
  const { stopReason, usage } = isRecord(result) ? result : { stopReason: undefined, usage: undefined };
  const details = tokenDetails(usage);
  if (facts.isCancelled) return { reason: "cancelled", details };
  if (facts.systemError !== undefined) return { reason: "error", details: { ...details, message: facts.systemError } };
  switch (stopReason) {
    case "end_turn":
      if (!facts.hasContent) return { reason: "error", details: { ...details, stopReason, message: EMPTY_TURN } };
      return { reason: "completed", details };
    case "refusal":
      return { reason: "error", details: { ...details, stopReason, message: "The model refused to continue." } };
    case "cancelled":
      // Without a cancel of ours it follows a refused permission: the turn did what the person wanted.
      return { reason: facts.hasRefusal ? "completed" : "cancelled", details: { ...details, stopReason } };
    default:
      return { reason: "completed", details: { ...details, stopReason: textOf(stopReason) ?? "unknown" } };
  }
}

/** How a turn ended whose prompt was answered by an error. */
export function endOfError(error: unknown, facts: TurnFacts): AgentTurnEnd {
  if (facts.isCancelled) return { reason: "cancelled", details: {} };
  const message = error instanceof Error ? error.message : String(error);
  const rpcCode = error instanceof ProtocolError ? error.rpcCode : undefined;
  const reason = isAuthRequired(error) ? "model_authentication_failed" : "error";
  return { reason, details: { message, ...(rpcCode !== undefined && { rpcCode }) } };
}

/** Some agents answer with the model's HTTP status instead of the protocol's code. */
export function isAuthRequired(error: unknown): boolean {
  return error instanceof ProtocolError && (error.rpcCode === AUTH_REQUIRED || error.rpcCode === 401);
}

/** Usage as ours; undefined when the agent reports none. */
export function tokenUsageOf(usage: unknown): TokenUsage | undefined {
  if (!isRecord(usage)) return undefined;
  const count = (name: string) => (typeof usage[name] === "number" ? usage[name] : 0);
  return {
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    cacheCreationTokens: count("cachedWriteTokens"),
    cacheReadTokens: count("cachedReadTokens"),
    thinkingTokens: count("thoughtTokens"),
  };
}

function tokenDetails(usage: unknown): Record<string, unknown> {
  const tokenUsage = tokenUsageOf(usage);
  return tokenUsage === undefined ? {} : { tokenUsage };
}

/** Two usages as one. */
export function addUsage(before: TokenUsage | undefined, more: TokenUsage): TokenUsage {
  if (before === undefined) return more;
  const add = (name: Exclude<keyof TokenUsage, "factoryCredits">) => before[name] + more[name];
  return {
    inputTokens: add("inputTokens"),
    outputTokens: add("outputTokens"),
    cacheCreationTokens: add("cacheCreationTokens"),
    cacheReadTokens: add("cacheReadTokens"),
    thinkingTokens: add("thinkingTokens"),
  };
}
