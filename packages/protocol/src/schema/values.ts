import * as z from "zod/mini";
import type {
  AvailableModel,
  FileSource,
  ImageSource,
  McpServerConfig,
  McpServerState,
  McpSummary,
  MessageBlock,
  Open,
  OutputFormat,
  Position,
  SessionMessage,
  SessionSettings,
  SessionSource,
  SessionTag,
  TokenUsage,
  ToolUseBlock,
} from "../session/index.js";
import { bounded } from "./bounded.js";

// Facts of the wire: docs/wire/session.md#strictness-on-receive

/** A JSON object with any keys. */
export const recordSchema: z.ZodMiniType<Record<string, unknown>> = z.looseObject({});

/** A string whose known values TypeScript can list; unknown ones are accepted. */
export function openEnum<Known extends string>(): z.ZodMiniType<Open<Known>> {
  return z.string();
}

/** Schema of {@link TokenUsage}. */
export const tokenUsageSchema: z.ZodMiniType<TokenUsage> = z.looseObject({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheCreationTokens: z.number(),
  cacheReadTokens: z.number(),
  thinkingTokens: z.number(),
  factoryCredits: z.exactOptional(z.number()),
});

const toolUseFields = {
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
  thoughtSignature: z.exactOptional(z.string()),
};

/** Schema of {@link ToolUseBlock} as a block of a message. */
export const toolUseBlockSchema: z.ZodMiniType<ToolUseBlock> = z.looseObject({
  type: z.literal("tool_use"),
  ...toolUseFields,
});

/**
 * Schema of a tool use in `tool_call`, where `type` may be missing. No code reads `type` there, so the
 * output type is {@link ToolUseBlock}.
 */
export const toolUseSchema = z.looseObject({
  type: z.exactOptional(z.literal("tool_use")),
  ...toolUseFields,
}) as z.ZodMiniType as z.ZodMiniType<ToolUseBlock>;

const KNOWN_BLOCKS = new Set(["text", "tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document"]);

const source = z.unknown();
const unknownBlockSchema = z.looseObject({
  type: z.string().check(z.refine((type) => !KNOWN_BLOCKS.has(type), "a known kind of block with wrong fields")),
}) as z.ZodMiniType as z.ZodMiniType<MessageBlock>;

/** Schema of {@link MessageBlock}; unknown kinds pass. */
export const messageBlockSchema: z.ZodMiniType<MessageBlock> = z.union([
  z.looseObject({ type: z.literal("text"), text: z.string() }),
  toolUseBlockSchema,
  z.looseObject({
    type: z.literal("tool_result"),
    toolUseId: z.string(),
    get content(): z.ZodMiniExactOptional<z.ZodMiniType<string | MessageBlock[]>> {
      return z.exactOptional(z.union([z.string(), z.array(messageBlockSchema)]));
    },
    isError: z.exactOptional(z.boolean()),
  }),
  z.looseObject({
    type: z.literal("thinking"),
    thinking: z.string(),
    signature: z.exactOptional(z.string()),
    signatureProvider: z.exactOptional(z.string()),
    durationMs: z.exactOptional(z.number()),
  }),
  z.looseObject({ type: z.literal("redacted_thinking"), data: z.string() }),
  z.looseObject({ type: z.literal("image"), source }),
  z.looseObject({ type: z.literal("document"), source }),
  unknownBlockSchema,
]);

/** Schema of {@link SessionMessage}. */
export const sessionMessageSchema: z.ZodMiniType<SessionMessage> = z.looseObject({
  id: z.string(),
  role: openEnum<SessionMessage["role"]>(),
  content: z.array(messageBlockSchema),
  createdAt: z.number(),
  updatedAt: z.number(),
  parentId: z.exactOptional(z.string()),
  visibility: z.exactOptional(openEnum<"both" | "llm_only" | "user_only">()),
  isError: z.exactOptional(z.boolean()),
});

/** Schema of {@link SessionSettings} as a daemon reports them. */
export const sessionSettingsSchema: z.ZodMiniType<SessionSettings> = z.looseObject({
  modelId: z.string(),
  reasoningEffort: z.string(),
  interactionMode: z.exactOptional(z.string()),
  autonomyLevel: z.exactOptional(z.string()),
  specModeModelId: z.exactOptional(z.nullable(z.string())),
  specModeReasoningEffort: z.exactOptional(z.nullable(z.string())),
  enabledToolIds: z.exactOptional(z.array(z.string())),
  disabledToolIds: z.exactOptional(z.array(z.string())),
  get tags() {
    return z.exactOptional(z.array(sessionTagSchema));
  },
});

/** Schema of {@link SessionTag}. */
export const sessionTagSchema: z.ZodMiniType<SessionTag> = z.looseObject({
  name: z.string(),
  metadata: z.exactOptional(z.record(z.string(), z.string())),
});

/** Schema of {@link SessionSource}. */
export const sessionSourceSchema: z.ZodMiniType<SessionSource> = z.looseObject({ platform: z.string() });

/** Schema of {@link ImageSource}; the daemon may accept media types that this list lacks. `data` is bounded by the message. */
export const imageSourceSchema: z.ZodMiniType<ImageSource> = z.looseObject({
  type: z.literal("base64"),
  data: z.string(),
  mediaType: bounded("nameChars"),
});

/** Schema of {@link FileSource}. `data` and `parsedData` are bounded by the message. */
export const fileSourceSchema: z.ZodMiniType<FileSource> = z.union([
  z.looseObject({
    type: z.literal("base64"),
    mediaType: z.literal("application/pdf"),
    data: z.string(),
    parsedData: z.exactOptional(z.string()),
    name: z.exactOptional(bounded("pathChars")),
    path: z.exactOptional(bounded("pathChars")),
  }),
  z.looseObject({
    type: z.literal("text"),
    mediaType: z.literal("text/plain"),
    data: z.string(),
    name: z.exactOptional(bounded("pathChars")),
    mime: z.exactOptional(bounded("nameChars")),
  }),
]);

/** Schema of {@link OutputFormat}. */
export const outputFormatSchema: z.ZodMiniType<OutputFormat> = z.looseObject({
  type: z.literal("json_schema"),
  schema: recordSchema,
});

/** Schema of {@link McpServerConfig}. */
export const mcpServerConfigSchema: z.ZodMiniType<McpServerConfig> = z.union([
  z.looseObject({
    name: z.string(),
    type: z.exactOptional(z.literal("stdio")),
    command: z.string(),
    args: z.array(z.string()),
    env: z.exactOptional(z.record(z.string(), z.string())),
  }),
  z.looseObject({
    name: z.string(),
    type: z.enum(["http", "sse"]),
    url: z.string(),
    headers: z.exactOptional(z.array(z.looseObject({ name: z.string(), value: z.string() }))),
    oauth: z.exactOptional(z.literal(false)),
  }),
]);

/** Schema of {@link McpServerState}. */
export const mcpServerStateSchema: z.ZodMiniType<McpServerState> = z.looseObject({
  name: z.string(),
  status: z.string(),
});

/** Schema of {@link McpSummary}. */
export const mcpSummarySchema: z.ZodMiniType<McpSummary> = z.looseObject({
  total: z.number(),
  connected: z.number(),
  connecting: z.number(),
  failed: z.number(),
  disabled: z.exactOptional(z.number()),
});

/** Schema of {@link AvailableModel}. */
export const availableModelSchema: z.ZodMiniType<AvailableModel> = z.looseObject({
  id: z.string(),
  displayName: z.string(),
});

/** Schema of {@link Position}. */
export const positionSchema: z.ZodMiniType<Position> = z.looseObject({
  epoch: z.int().check(z.minimum(0)),
  seq: z.int().check(z.minimum(0)),
});
