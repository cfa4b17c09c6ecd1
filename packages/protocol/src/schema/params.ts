import * as z from "zod/mini";
import { LIMITS } from "../limits/index.js";
import type {
  AddMcpServerParams,
  AddUserMessageParams,
  AuthenticateParams,
  Credit,
  ExecuteRewindParams,
  ForkSessionParams,
  GetSessionMessagesParams,
  InitializeSessionParams,
  InterruptSessionParams,
  ListAvailableSessionsParams,
  LoadSessionParams,
  McpServerParams,
  QueuedMessage,
  SearchSessionsParams,
  SessionScoped,
  SettingsParams,
} from "../session/index.js";
import {
  fileSourceSchema,
  imageSourceSchema,
  mcpServerConfigSchema,
  outputFormatSchema,
  recordSchema,
  sessionSourceSchema,
  sessionTagSchema,
} from "./values.js";

// Facts of the wire: docs/wire/session.md#authentication, docs/wire/session.md#session-calls

const text = z.string();
const optionalText = z.exactOptional(text);
const optionalFlag = z.exactOptional(z.boolean());
const optionalTexts = z.exactOptional(z.array(text));
const optionalCount = z.exactOptional(z.int().check(z.minimum(0)));
const upTo = (max: number) => z.exactOptional(z.int().check(z.minimum(1), z.maximum(max)));

/** The key of every session call; must not be empty. */
const sessionScope = { sessionId: text.check(z.minLength(1)) };

/** Schema of {@link SessionScoped}, with further fields where a method has some. */
function scoped<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.looseObject({ ...sessionScope, ...shape });
}

/** Schema of {@link Credit}. */
export const creditSchema: z.ZodMiniType<Credit> = z.looseObject({
  events: z.int().check(z.minimum(0)),
  bytes: z.int().check(z.minimum(0)),
});

/** Schema of {@link AuthenticateParams}; at least one kind of credential. */
export const authenticateParamsSchema: z.ZodMiniType<AuthenticateParams> = z
  .looseObject({
    token: optionalText,
    apiKey: optionalText,
    proof: optionalText,
    ticket: optionalText,
    caller: text,
    connectionId: optionalText,
    metadata: z.exactOptional(recordSchema),
  })
  .check(
    z.refine(
      ({ token, apiKey, proof, ticket }) => [token, apiKey, proof, ticket].some((given) => given !== undefined),
      "one of token, apiKey, proof or ticket",
    ),
  );

const settings = {
  modelId: optionalText,
  reasoningEffort: optionalText,
  interactionMode: optionalText,
  autonomyLevel: optionalText,
  specModeModelId: z.exactOptional(z.nullable(text)),
  specModeReasoningEffort: z.exactOptional(z.nullable(text)),
  tags: z.exactOptional(z.array(sessionTagSchema)),
  enabledToolIds: optionalTexts,
  disabledToolIds: optionalTexts,
  compactionTokenLimit: optionalCount,
  compactionThresholdCheckEnabled: optionalFlag,
};

/** Schema of {@link InitializeSessionParams}. */
export const initializeSessionParamsSchema: z.ZodMiniType<InitializeSessionParams> = z.looseObject({
  ...settings,
  token: text,
  machineId: text,
  cwd: text,
  sessionId: z.exactOptional(sessionScope.sessionId),
  workspaceId: optionalText,
  mcpServers: z.exactOptional(z.array(mcpServerConfigSchema)),
  sessionSource: z.exactOptional(sessionSourceSchema),
  inactivityTimeoutMs: optionalCount,
  disableInactivityTimeout: optionalFlag,
  agent: optionalText,
  inbox: optionalFlag,
  credit: z.exactOptional(creditSchema),
});

/** Schema of {@link LoadSessionParams}. */
export const loadSessionParamsSchema: z.ZodMiniType<LoadSessionParams> = scoped({
  token: text,
  mcpServers: z.exactOptional(z.array(mcpServerConfigSchema)),
  loadAllMessages: optionalFlag,
  messageLimit: optionalCount,
  disableInactivityTimeout: optionalFlag,
  inbox: optionalFlag,
  credit: z.exactOptional(creditSchema),
});

const userMessage = {
  text,
  messageId: z.exactOptional(text.check(z.minLength(1))),
  images: z.exactOptional(z.array(imageSourceSchema)),
  files: z.exactOptional(z.array(fileSourceSchema)),
  outputFormat: z.exactOptional(outputFormatSchema),
  skipAgentLoop: optionalFlag,
  queuePlacement: optionalText,
};

/** Schema of {@link AddUserMessageParams}. */
export const addUserMessageParamsSchema: z.ZodMiniType<AddUserMessageParams> = scoped(userMessage);

/** Schema of {@link QueuedMessage}, as `load_session` lists it. */
export const queuedMessageSchema: z.ZodMiniType<QueuedMessage> = scoped({ ...userMessage, requestId: text });

/** Schema of {@link SessionScoped}: all that most session calls need. */
export const sessionScopedSchema: z.ZodMiniType<SessionScoped> = scoped({});

/** Schema of {@link InterruptSessionParams}. */
export const interruptSessionParamsSchema: z.ZodMiniType<InterruptSessionParams> = scoped({ messageId: optionalText });

/** Schema of the params of `close_session`. */
export const closeSessionParamsSchema: z.ZodMiniType<SessionScoped & { reason?: string }> = scoped({
  reason: optionalText,
});

/** Schema of the params of `update_session_settings`: flat. */
export const updateSettingsParamsSchema: z.ZodMiniType<SessionScoped & SettingsParams> = scoped(settings);

/** Schema of the params of `rename_session`. */
export const renameSessionParamsSchema: z.ZodMiniType<SessionScoped & { title: string }> = scoped({ title: text });

/** Schema of {@link ForkSessionParams}. */
export const forkSessionParamsSchema: z.ZodMiniType<ForkSessionParams> = scoped({
  title: optionalText,
  tags: z.exactOptional(z.array(sessionTagSchema)),
});

/** Schema of the params of `compact_session`. */
export const compactSessionParamsSchema: z.ZodMiniType<SessionScoped & { customInstructions?: string }> = scoped({
  customInstructions: optionalText,
});

/** Schema of the params of `get_rewind_info`. */
export const rewindInfoParamsSchema: z.ZodMiniType<SessionScoped & { messageId: string }> = scoped({
  messageId: text,
});

/** Schema of {@link ExecuteRewindParams}. */
export const executeRewindParamsSchema: z.ZodMiniType<ExecuteRewindParams> = scoped({
  messageId: text,
  filesToRestore: z.array(z.looseObject({ filePath: text, contentHash: text, size: z.number() })),
  filesToDelete: z.array(z.looseObject({ filePath: text })),
  forkTitle: text,
});

const textMap = z.exactOptional(z.record(text, text));

/** Schema of {@link AddMcpServerParams}. */
export const addMcpServerParamsSchema: z.ZodMiniType<AddMcpServerParams> = scoped({
  name: text,
  type: text,
  url: optionalText,
  headers: textMap,
  command: optionalText,
  args: optionalTexts,
  env: textMap,
});

/** Schema of {@link McpServerParams}. */
export const mcpServerParamsSchema: z.ZodMiniType<McpServerParams> = scoped({ serverName: text });

/** Schema of the params of `remove_mcp_server`. */
export const removeMcpServerParamsSchema: z.ZodMiniType<McpServerParams & { settingsLevel: "user" }> = scoped({
  serverName: text,
  settingsLevel: z.literal("user"),
});

/** Schema of the params of `toggle_mcp_server`. */
export const toggleMcpServerParamsSchema: z.ZodMiniType<McpServerParams & { enabled: boolean; settingsLevel: "user" }> =
  scoped({ serverName: text, enabled: z.boolean(), settingsLevel: z.literal("user") });

/** Schema of {@link ListAvailableSessionsParams}; a limit out of range is refused, as a real daemon does. */
export const listAvailableSessionsParamsSchema: z.ZodMiniType<ListAvailableSessionsParams> = z.looseObject({
  limit: upTo(LIMITS.sessionPageMax),
  endBefore: z.exactOptional(z.number()),
});

/** Schema of {@link SearchSessionsParams}. */
export const searchSessionsParamsSchema: z.ZodMiniType<SearchSessionsParams> = z.looseObject({
  query: text,
  kind: optionalText,
  limitSessions: optionalCount,
  limitHitsPerSession: optionalCount,
  contextChars: optionalCount,
});

/** Schema of {@link GetSessionMessagesParams}. */
export const getSessionMessagesParamsSchema: z.ZodMiniType<GetSessionMessagesParams> = scoped({
  limit: upTo(LIMITS.messagePageMax),
  cursor: optionalText,
  role: optionalText,
});
