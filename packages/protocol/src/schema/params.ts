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
  Open,
  QueuedMessage,
  SearchSessionsParams,
  SessionScoped,
  SettingsParams,
} from "../session/index.js";
import { bounded, boundedJson, boundedList, boundedName } from "./bounded.js";
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

const id = boundedName("idChars");
const name = bounded("nameChars");
const path = bounded("pathChars");
const comment = bounded("commentChars");
const credential = bounded("credentialChars");
const optionalName = z.exactOptional(name);
const optionalPath = z.exactOptional(path);
const optionalFlag = z.exactOptional(z.boolean());
const optionalNames = z.exactOptional(boundedList(name, "listedItems"));
const optionalTags = z.exactOptional(boundedJson(z.array(sessionTagSchema), "tagsJsonChars"));
const optionalMcpServers = z.exactOptional(boundedJson(z.array(mcpServerConfigSchema), "mcpServersJsonChars"));
const optionalCount = z.exactOptional(z.int().check(z.minimum(0)));
const upTo = (max: number) => z.exactOptional(z.int().check(z.minimum(1), z.maximum(max)));

/** The key of every session call; must not be empty. */
const sessionScope = { sessionId: id };

/** Schema of {@link SessionScoped}, with further fields where a method has some. */
function scoped<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.looseObject({ ...sessionScope, ...shape });
}

/** Schema of {@link Credit}. */
export const creditSchema: z.ZodMiniType<Credit> = z.looseObject({
  events: z.int().check(z.minimum(0)),
  bytes: z.int().check(z.minimum(0)),
  batches: z.exactOptional(z.literal(true)),
});

/** Schema of {@link AuthenticateParams}; at least one kind of credential. */
export const authenticateParamsSchema: z.ZodMiniType<AuthenticateParams> = z
  .looseObject({
    token: z.exactOptional(credential),
    apiKey: z.exactOptional(credential),
    proof: z.exactOptional(credential),
    ticket: z.exactOptional(credential),
    caller: name,
    connectionId: z.exactOptional(bounded("idChars")),
    metadata: z.exactOptional(boundedJson(recordSchema, "metadataJsonChars")),
  })
  .check(
    z.refine(
      ({ token, apiKey, proof, ticket }) => [token, apiKey, proof, ticket].some((given) => given !== undefined),
      "one of token, apiKey, proof or ticket",
    ),
  );

const settings = {
  modelId: optionalName,
  reasoningEffort: optionalName,
  interactionMode: optionalName,
  autonomyLevel: optionalName,
  specModeModelId: z.exactOptional(z.nullable(name)),
  specModeReasoningEffort: z.exactOptional(z.nullable(name)),
  tags: optionalTags,
  enabledToolIds: optionalNames,
  disabledToolIds: optionalNames,
  compactionTokenLimit: optionalCount,
  compactionThresholdCheckEnabled: optionalFlag,
};

const argument = bounded("argumentChars");
const textMap = z.exactOptional(boundedJson(z.record(argument, argument), "mcpServersJsonChars"));

/** Schema of {@link InitializeSessionParams}. */
export const initializeSessionParamsSchema: z.ZodMiniType<InitializeSessionParams> = z.looseObject({
  ...settings,
  token: credential,
  machineId: bounded("idChars"),
  cwd: path,
  sessionId: z.exactOptional(sessionScope.sessionId),
  workspaceId: z.exactOptional(bounded("idChars")),
  mcpServers: optionalMcpServers,
  sessionSource: z.exactOptional(boundedJson(sessionSourceSchema, "metadataJsonChars")),
  inactivityTimeoutMs: optionalCount,
  disableInactivityTimeout: optionalFlag,
  agent: optionalName,
  env: textMap,
  inbox: optionalFlag,
  credit: z.exactOptional(creditSchema),
});

/** Schema of {@link LoadSessionParams}. */
export const loadSessionParamsSchema: z.ZodMiniType<LoadSessionParams> = scoped({
  token: credential,
  mcpServers: optionalMcpServers,
  loadAllMessages: optionalFlag,
  messageLimit: optionalCount,
  disableInactivityTimeout: optionalFlag,
  cwd: z.exactOptional(path),
  inbox: optionalFlag,
  credit: z.exactOptional(creditSchema),
});

const userMessage = {
  // Bounded by the message that carries it, as are the data of images and files.
  text: z.string(),
  messageId: z.exactOptional(z.string().check(z.minLength(1))),
  images: z.exactOptional(z.array(imageSourceSchema)),
  files: z.exactOptional(z.array(fileSourceSchema)),
  outputFormat: z.exactOptional(outputFormatSchema),
  skipAgentLoop: optionalFlag,
  queuePlacement: z.exactOptional(z.string()),
};

/** Schema of {@link AddUserMessageParams}. */
export const addUserMessageParamsSchema: z.ZodMiniType<AddUserMessageParams> = scoped({
  ...userMessage,
  messageId: z.exactOptional(id),
  images: z.exactOptional(boundedList(imageSourceSchema, "listedItems")),
  files: z.exactOptional(boundedList(fileSourceSchema, "listedItems")),
  outputFormat: z.exactOptional(boundedJson(outputFormatSchema, "outputFormatJsonChars")),
  queuePlacement: optionalName,
});

/** Schema of {@link QueuedMessage}, as `load_session` lists it. */
export const queuedMessageSchema: z.ZodMiniType<QueuedMessage> = z.looseObject({
  ...userMessage,
  sessionId: z.string().check(z.minLength(1)),
  requestId: z.string(),
});

/** Schema of {@link SessionScoped}: all that most session calls need. */
export const sessionScopedSchema: z.ZodMiniType<SessionScoped> = scoped({});

/** Schema of the params of a method that this project does not use: the session in question, where the method has one. */
export const otherParamsSchema: z.ZodMiniType<Partial<SessionScoped>> = z.looseObject({
  sessionId: z.exactOptional(bounded("idChars")),
});

/** Schema of {@link InterruptSessionParams}. */
export const interruptSessionParamsSchema: z.ZodMiniType<InterruptSessionParams> = scoped({
  messageId: z.exactOptional(bounded("idChars")),
});

/** Schema of the params of `close_session`. */
export const closeSessionParamsSchema: z.ZodMiniType<SessionScoped & { reason?: string }> = scoped({
  reason: z.exactOptional(comment),
});

/** Schema of the params of `update_session_settings`: flat. */
export const updateSettingsParamsSchema: z.ZodMiniType<SessionScoped & SettingsParams> = scoped(settings);

/** Schema of the params of `rename_session`. */
export const renameSessionParamsSchema: z.ZodMiniType<SessionScoped & { title: string }> = scoped({
  title: bounded("titleChars"),
});

/** Schema of {@link ForkSessionParams}. */
export const forkSessionParamsSchema: z.ZodMiniType<ForkSessionParams> = scoped({
  title: z.exactOptional(bounded("titleChars")),
  tags: optionalTags,
});

/** Schema of the params of `compact_session`. */
export const compactSessionParamsSchema: z.ZodMiniType<SessionScoped & { customInstructions?: string }> = scoped({
  customInstructions: z.exactOptional(comment),
});

/** Schema of the params of `get_rewind_info`. */
export const rewindInfoParamsSchema: z.ZodMiniType<SessionScoped & { messageId: string }> = scoped({
  messageId: bounded("idChars"),
});

/** Schema of {@link ExecuteRewindParams}. */
export const executeRewindParamsSchema: z.ZodMiniType<ExecuteRewindParams> = scoped({
  messageId: bounded("idChars"),
  filesToRestore: boundedList(
    z.looseObject({ filePath: path, contentHash: bounded("idChars"), size: z.number() }),
    "listedFiles",
  ),
  filesToDelete: boundedList(z.looseObject({ filePath: path }), "listedFiles"),
  forkTitle: bounded("titleChars"),
});

/** Schema of {@link AddMcpServerParams}. */
export const addMcpServerParamsSchema: z.ZodMiniType<AddMcpServerParams> = scoped({
  name,
  type: name,
  url: optionalPath,
  headers: textMap,
  command: optionalPath,
  args: z.exactOptional(boundedList(argument, "listedItems")),
  env: textMap,
});

/** Schema of {@link McpServerParams}. */
export const mcpServerParamsSchema: z.ZodMiniType<McpServerParams> = scoped({ serverName: name });

/** An enumeration is open: the agent knows its values. */
const settingsLevel = name;

/** Schema of the params of `remove_mcp_server`. */
export const removeMcpServerParamsSchema: z.ZodMiniType<McpServerParams & { settingsLevel: Open<"user"> }> = scoped({
  serverName: name,
  settingsLevel,
});

/** Schema of the params of `toggle_mcp_server`. */
export const toggleMcpServerParamsSchema: z.ZodMiniType<
  McpServerParams & { enabled: boolean; settingsLevel: Open<"user"> }
> = scoped({ serverName: name, enabled: z.boolean(), settingsLevel });

/** Schema of {@link ListAvailableSessionsParams}; a limit out of range is refused, as a real daemon does. */
export const listAvailableSessionsParamsSchema: z.ZodMiniType<ListAvailableSessionsParams> = z.looseObject({
  limit: upTo(LIMITS.sessionPageMax),
  endBefore: z.exactOptional(z.number()),
});

/** Schema of {@link SearchSessionsParams}. */
export const searchSessionsParamsSchema: z.ZodMiniType<SearchSessionsParams> = z.looseObject({
  query: bounded("searchQueryChars"),
  kind: optionalName,
  limitSessions: optionalCount,
  limitHitsPerSession: optionalCount,
  contextChars: optionalCount,
});

/** Schema of {@link GetSessionMessagesParams}. */
export const getSessionMessagesParamsSchema: z.ZodMiniType<GetSessionMessagesParams> = scoped({
  limit: upTo(LIMITS.messagePageMax),
  cursor: z.exactOptional(bounded("idChars")),
  role: optionalName,
});
