import { isRecord } from "./guards.js";
import type { MessageBlock, SessionMessage, TokenUsage, ToolUseBlock } from "./values.js";

/** A string. */
export const isString = (value: unknown): value is string => typeof value === "string";

/** A number that JSON can carry; `1e999` parses to Infinity and is refused. */
export const isNumber = (value: unknown): value is number => Number.isFinite(value);

/** Absent, or what `check` accepts. */
export function isAbsentOr(check: (value: unknown) => boolean, value: unknown): boolean {
  return value === undefined || check(value);
}

/** An array of what `check` accepts. */
export function isArrayOf(check: (value: unknown) => boolean, value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => check(item));
}

/** The five counts, and credits where there are any (session spec §5.13). */
export function isTokenUsage(value: unknown): value is TokenUsage {
  return (
    isRecord(value) &&
    isNumber(value.inputTokens) &&
    isNumber(value.outputTokens) &&
    isNumber(value.cacheCreationTokens) &&
    isNumber(value.cacheReadTokens) &&
    isNumber(value.thinkingTokens) &&
    isAbsentOr(isNumber, value.factoryCredits)
  );
}

/** A tool use as `tool_call` carries it; `type` may be missing there (session spec §6.1). */
export function isToolUse(value: unknown): value is ToolUseBlock {
  return (
    isRecord(value) &&
    (value.type === undefined || value.type === "tool_use") &&
    isString(value.id) &&
    isString(value.name) &&
    value.input !== undefined &&
    isAbsentOr(isString, value.thoughtSignature)
  );
}

/** One block of a message (session spec §5.13). Kinds this version does not know pass, with whatever they hold. */
export function isMessageBlock(value: unknown): value is MessageBlock {
  if (!isRecord(value)) return false;
  switch (value.type) {
    case "text":
      return isString(value.text);
    case "tool_use":
      return isToolUse(value);
    case "tool_result":
      return (
        isString(value.toolUseId) && isAbsentOr(isBlockContent, value.content) && isAbsentOr(isBoolean, value.isError)
      );
    case "thinking":
      return (
        isString(value.thinking) &&
        isAbsentOr(isString, value.signature) &&
        isAbsentOr(isString, value.signatureProvider) &&
        isAbsentOr(isNumber, value.durationMs)
      );
    case "redacted_thinking":
      return isString(value.data);
    case "image":
    case "document":
      return value.source !== undefined;
    default:
      return isString(value.type);
  }
}

/** A message of the conversation (session spec §5.13). */
export function isSessionMessage(value: unknown): value is SessionMessage {
  return (
    isRecord(value) &&
    isString(value.id) &&
    isString(value.role) &&
    isArrayOf(isMessageBlock, value.content) &&
    isNumber(value.createdAt) &&
    isNumber(value.updatedAt) &&
    isAbsentOr(isString, value.parentId) &&
    isAbsentOr(isString, value.visibility) &&
    isAbsentOr(isBoolean, value.isError)
  );
}

/** True or false. */
export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isBlockContent(value: unknown): boolean {
  return isString(value) || isArrayOf(isMessageBlock, value);
}
