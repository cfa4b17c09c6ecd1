import { isRecord } from "../base/index.js";
import { type Check, listOf, optionally, shape } from "./shape.js";
import type { MessageBlock, SessionMessage, TokenUsage, ToolUseBlock } from "./values.js";

/** The five counts, and credits where there are any (docs/wire/session.md#messages-and-token-usage). */
export const isTokenUsage = /* @__PURE__ */ shape<TokenUsage>(
  "inputTokens# outputTokens# cacheCreationTokens# cacheReadTokens# thinkingTokens# factoryCredits#?",
);

/** A tool use as `tool_call` carries it; `type` may be missing there (docs/wire/session.md#session-notifications). */
export const isToolUse = /* @__PURE__ */ shape<ToolUseBlock>("id name thoughtSignature?", {
  type: (type) => type === undefined || type === "tool_use",
  input: isPresent,
});

/** Fields of each kind of block (docs/wire/session.md#messages-and-token-usage). */
const BLOCKS: ReadonlyMap<unknown, Check> = new Map<string, Check>([
  ["text", shape("text")],
  ["tool_use", isToolUse],
  [
    "tool_result",
    shape("toolUseId isError!?", {
      content: optionally((content) => typeof content === "string" || listOf(isMessageBlock)(content)),
    }),
  ],
  ["thinking", shape("thinking signature? signatureProvider? durationMs#?")],
  ["redacted_thinking", shape("data")],
  ["image", shape("", { source: isPresent })],
  ["document", shape("", { source: isPresent })],
]);

/**
 * One block of a message (docs/wire/session.md#messages-and-token-usage). Unknown kinds pass
 * with any contents.
 */
export function isMessageBlock(value: unknown): value is MessageBlock {
  if (!isRecord(value)) return false;
  return BLOCKS.get(value.type)?.(value) ?? typeof value.type === "string";
}

/** A message of the conversation (docs/wire/session.md#messages-and-token-usage). */
export const isSessionMessage = /* @__PURE__ */ shape<SessionMessage>(
  "id role createdAt# updatedAt# parentId? visibility? isError!?",
  { content: listOf(isMessageBlock) },
);

function isPresent(value: unknown): boolean {
  return value !== undefined;
}
