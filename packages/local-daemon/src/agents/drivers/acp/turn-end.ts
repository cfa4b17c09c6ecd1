import { isRecord, ProtocolError, type TokenUsage } from "@daemon-sdk/protocol";
import type { AgentTurnEnd } from "../../agent.js";
import { textOf } from "./content.js";

/** The agent wants a person to log in (docs/wire/acp.md#errors). */
export const AUTH_REQUIRED = -32000;

/** What the driver knows of a turn beside the answer to its prompt. */
export interface TurnFacts {
  /** We sent a cancel: whatever the agent answers, the turn was cancelled. */
  readonly isCancelled: boolean;
  /** The agent reported beside the conversation that its model failed: its reason, or an empty text. */
  readonly systemError: string | undefined;
  /** The last text, when it is an error of the model in the agent's words. */
  readonly failureText: string | undefined;
  /** The reason for which the model was asked again, the last time. */
  readonly lastRetry: string | undefined;
  /** A person refused a tool in this turn. */
  readonly hasRefusal: boolean;
  /** Whether the agent wrote anything or used a tool. */
  readonly hasContent: boolean;
}

const EMPTY_TURN =
  "The agent ended the turn without a text, a tool or an error. Its model may have failed; see its log.";

const SYSTEM_ERROR = "The agent reports that its model failed.";

/** How a turn ended whose prompt was answered by a result (docs/wire/acp.md#ends). */
export function endOfResult(result: unknown, facts: TurnFacts): AgentTurnEnd {
  const stopReason = isRecord(result) ? result.stopReason : undefined;
  const tokenUsage = usageOfResult(result);
  const details = tokenUsage === undefined ? {} : { tokenUsage };
  if (facts.isCancelled) return { reason: "cancelled", details };
  const { systemError } = facts;
  if (systemError !== undefined)
    return { reason: "error", details: { ...details, message: systemError || SYSTEM_ERROR } };
  switch (stopReason) {
    case "end_turn": {
      const message = failureOf(facts, tokenUsage);
      return message === undefined
        ? { reason: "completed", details }
        : { reason: "error", details: { ...details, stopReason, message } };
    }
    case "refusal":
      return { reason: "error", details: { ...details, stopReason, message: "The model refused to continue." } };
    case "cancelled":
      // Without a cancel of ours it follows a refused permission: the turn did what the person wanted.
      return { reason: facts.hasRefusal ? "completed" : "cancelled", details: { ...details, stopReason } };
    default:
      return { reason: "completed", details: { ...details, stopReason: textOf(stopReason) ?? "unknown" } };
  }
}

/** Why a turn failed that has ended as if all was well; undefined when nothing says that it failed. */
function failureOf(
  { hasContent, failureText, lastRetry }: TurnFacts,
  usage: TokenUsage | undefined,
): string | undefined {
  // A model that answered has a usage: its text is its own then.
  if (failureText !== undefined && usage === undefined) return failureText;
  if (hasContent) return undefined;
  return lastRetry === undefined ? EMPTY_TURN : `${EMPTY_TURN} It had asked the model again: ${lastRetry}`;
}

/** How a turn ended whose prompt was answered by an error. `wayToLogIn` is added when a login is missing. */
export function endOfError(error: unknown, facts: TurnFacts, wayToLogIn: string): AgentTurnEnd {
  if (facts.isCancelled) return { reason: "cancelled", details: {} };
  const cause = error instanceof Error ? error.message : String(error);
  const rpcCode = error instanceof ProtocolError ? error.rpcCode : undefined;
  const [reason, message] = isAuthRequired(error)
    ? ["model_authentication_failed", `${cause} ${wayToLogIn}`]
    : ["error", cause];
  return { reason, details: { message, ...(rpcCode !== undefined && { rpcCode }) } };
}

/** Some agents answer with the model's HTTP status instead of the protocol's code. */
export function isAuthRequired(error: unknown): boolean {
  return error instanceof ProtocolError && (error.rpcCode === AUTH_REQUIRED || error.rpcCode === 401);
}

/** Usage that the answer to a prompt reports, as ours; undefined when there is none. One agent has it in `_meta` (docs/wire/acp.md#ends). */
export function usageOfResult(result: unknown): TokenUsage | undefined {
  if (!isRecord(result)) return undefined;
  const { usage, _meta: meta } = result;
  if (isRecord(usage)) {
    return tokenUsage(usage, ["inputTokens", "outputTokens", "cachedWriteTokens", "cachedReadTokens", "thoughtTokens"]);
  }
  const quota = isRecord(meta) && isRecord(meta.quota) ? meta.quota.token_count : undefined;
  return isRecord(quota) ? tokenUsage(quota, ["input_tokens", "output_tokens"]) : undefined;
}

/** `names` are the agent's for input, output, written to the cache, read from the cache, and thinking. */
function tokenUsage(counts: Record<string, unknown>, names: readonly string[]): TokenUsage {
  const [inputTokens = 0, outputTokens = 0, cacheCreationTokens = 0, cacheReadTokens = 0, thinkingTokens = 0] =
    names.map((name) => (typeof counts[name] === "number" ? counts[name] : 0));
  return { inputTokens, outputTokens, cacheCreationTokens, cacheReadTokens, thinkingTokens };
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
