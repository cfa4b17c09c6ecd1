import * as z from "zod/mini";
import type {
  ArchiveSessionResult,
  AuthenticateResult,
  AvailableSession,
  CommandAck,
  CompactSessionResult,
  ContextBreakdownResult,
  DaemonCapabilities,
  ExecuteRewindResult,
  GetSessionMessagesResult,
  InitializeSessionResult,
  ListAvailableSessionsResult,
  ListMcpServersResult,
  ListOpenedSessionsResult,
  LoadSessionResult,
  McpTool,
  NewSessionResult,
  OpenedSession,
  RewindInfoResult,
  SearchHit,
  SearchSessionsResult,
  Skill,
  SuccessResult,
} from "../session/index.js";
import { queuedMessageSchema } from "./params.js";
import { pendingAskUserSchema, pendingPermissionSchema } from "./requests.js";
import {
  availableModelSchema,
  mcpServerStateSchema,
  mcpSummarySchema,
  positionSchema,
  sessionMessageSchema,
  sessionSettingsSchema,
  sessionTagSchema,
  tokenUsageSchema,
} from "./values.js";

// Facts of the wire: docs/wire/session.md#acknowledgements

const text = z.string();
const optionalText = z.exactOptional(text);
const number = z.number();
const optionalNumber = z.exactOptional(number);
const offered = z.exactOptional(z.literal(true));
const optionalTags = z.exactOptional(z.array(sessionTagSchema));

/** Schema of {@link DaemonCapabilities}; unknown capabilities of a newer daemon pass and have no effect. */
export const daemonCapabilitiesSchema: z.ZodMiniType<DaemonCapabilities> = z.looseObject({
  turns: offered,
  inbox: offered,
  directInterrupt: offered,
  turnInterrupt: offered,
  detach: offered,
  delete: offered,
  positions: offered,
  resume: offered,
  credit: offered,
  batches: offered,
  receipts: offered,
  turnEvents: offered,
  sessionEvents: offered,
  requests: offered,
  ping: offered,
  tickets: offered,
  console: offered,
  workspace: offered,
  metrics: offered,
  maxMessageBytes: optionalNumber,
  agents: z.exactOptional(z.array(text)),
});

/** Schema of {@link AuthenticateResult}. */
export const authenticateResultSchema: z.ZodMiniType<AuthenticateResult> = z.looseObject({
  userId: text,
  orgId: text,
  capabilities: z.exactOptional(daemonCapabilitiesSchema),
  instanceId: z.exactOptional(text),
});

/** Schema of {@link CommandAck}, which is `{}` or `{accepted: true}`. */
export const commandAckSchema: z.ZodMiniType<CommandAck> = z.looseObject({ accepted: z.exactOptional(z.boolean()) });

/** Schema of {@link SuccessResult}. */
export const successResultSchema: z.ZodMiniType<SuccessResult> = z.looseObject({ success: z.boolean() });

/** Schema of the result of `rename_session`: its own, or an acknowledgement. */
export const renameSessionResultSchema: z.ZodMiniType<CommandAck & Partial<SuccessResult>> = z.looseObject({
  accepted: z.exactOptional(z.boolean()),
  success: z.exactOptional(z.boolean()),
});

const startedSession = {
  session: z.looseObject({ messages: z.array(sessionMessageSchema), title: optionalText }),
  settings: sessionSettingsSchema,
  hostId: optionalText,
  mcpServers: z.exactOptional(z.array(mcpServerStateSchema)),
  availableModels: z.exactOptional(z.array(availableModelSchema)),
  cwd: optionalText,
  position: z.exactOptional(positionSchema),
};

/** Schema of {@link InitializeSessionResult}. */
export const initializeSessionResultSchema: z.ZodMiniType<InitializeSessionResult> = z.looseObject({
  sessionId: text.check(z.minLength(1)),
  ...startedSession,
});

/** Schema of {@link LoadSessionResult}. */
export const loadSessionResultSchema: z.ZodMiniType<LoadSessionResult> = z.looseObject({
  ...startedSession,
  pendingPermissions: z.exactOptional(z.array(pendingPermissionSchema)),
  pendingAskUserRequests: z.exactOptional(z.array(pendingAskUserSchema)),
  isAgentLoopInProgress: z.exactOptional(z.boolean()),
  queuedMessages: z.exactOptional(z.array(queuedMessageSchema)),
  tokenUsage: z.exactOptional(tokenUsageSchema),
  workingState: optionalText,
});

/** Schema of {@link NewSessionResult}. */
export const newSessionResultSchema: z.ZodMiniType<NewSessionResult> = z.looseObject({ newSessionId: text });

/** Schema of {@link CompactSessionResult}. */
export const compactSessionResultSchema: z.ZodMiniType<CompactSessionResult> = z.looseObject({
  newSessionId: text,
  removedCount: number,
});

/** Schema of {@link RewindInfoResult}. */
export const rewindInfoResultSchema: z.ZodMiniType<RewindInfoResult> = z.looseObject({
  availableFiles: z.array(z.looseObject({ filePath: text, contentHash: text, size: number })),
  createdFiles: z.array(z.looseObject({ filePath: text })),
  evictedFiles: z.array(z.looseObject({ filePath: text, reason: text })),
});

/** Schema of {@link ExecuteRewindResult}. */
export const executeRewindResultSchema: z.ZodMiniType<ExecuteRewindResult> = z.looseObject({
  newSessionId: text,
  restoredCount: number,
  deletedCount: number,
  failedRestoreCount: number,
  failedDeleteCount: number,
});

/** Schema of {@link ContextBreakdownResult}. */
export const contextBreakdownResultSchema: z.ZodMiniType<ContextBreakdownResult> = z.looseObject({
  modelId: text,
  modelDisplayName: text,
  contextBudget: number,
  lastCallCompactionTokens: optionalNumber,
  usedTokens: number,
  freeTokens: number,
  categories: z.array(z.looseObject({ name: text, tokens: number, colorKey: text })),
  skills: z.array(z.unknown()),
  mcpServers: z.array(z.unknown()),
  droids: z.array(z.unknown()),
});

/** Schema of {@link ListMcpServersResult}. */
export const listMcpServersResultSchema: z.ZodMiniType<ListMcpServersResult> = z.looseObject({
  servers: z.array(mcpServerStateSchema),
  summary: mcpSummarySchema,
});

const mcpToolSchema: z.ZodMiniType<McpTool> = z.looseObject({
  serverName: text,
  name: text,
  description: optionalText,
  isEnabled: z.boolean(),
});

/** Schema of the result of `list_mcp_tools`. */
export const listMcpToolsResultSchema: z.ZodMiniType<{ tools: McpTool[] }> = z.looseObject({
  tools: z.array(mcpToolSchema),
});

const skillSchema: z.ZodMiniType<Skill> = z.looseObject({
  name: text,
  description: optionalText,
  location: text,
  filePath: text,
});

/** Schema of the result of `list_skills`. */
export const listSkillsResultSchema: z.ZodMiniType<{ skills: Skill[] }> = z.looseObject({
  skills: z.array(skillSchema),
});

const listed = {
  sessionId: text,
  updatedAt: number,
  hostId: optionalText,
  cwd: optionalText,
  messagesCount: optionalNumber,
  tags: optionalTags,
};
const openedSessionSchema: z.ZodMiniType<OpenedSession> = z.looseObject({
  ...listed,
  workingState: text,
  activity: optionalText,
});

/** Schema of {@link AvailableSession}. */
export const availableSessionSchema: z.ZodMiniType<AvailableSession> = z.looseObject({
  ...listed,
  title: optionalText,
  archivedAt: optionalText,
});

/** Schema of {@link ListOpenedSessionsResult}. */
export const listOpenedSessionsResultSchema: z.ZodMiniType<ListOpenedSessionsResult> = z.looseObject({
  sessions: z.array(openedSessionSchema),
  isIncomplete: z.exactOptional(z.boolean()),
});

/** Schema of {@link ListAvailableSessionsResult}. */
export const listAvailableSessionsResultSchema: z.ZodMiniType<ListAvailableSessionsResult> = z.looseObject({
  sessions: z.array(availableSessionSchema),
  hasMore: z.boolean(),
  nextCursor: optionalNumber,
});

const searchHitSchema: z.ZodMiniType<SearchHit> = z.looseObject({
  docId: text,
  kind: text,
  snippets: z.array(text),
  score: optionalNumber,
  toolName: optionalText,
  messageRole: optionalText,
});

/** Schema of {@link SearchSessionsResult}. */
export const searchSessionsResultSchema: z.ZodMiniType<SearchSessionsResult> = z.looseObject({
  query: text,
  sessions: z.array(
    z.looseObject({
      sessionId: text,
      title: optionalText,
      updatedAt: optionalNumber,
      hits: z.array(searchHitSchema),
    }),
  ),
  isIncomplete: z.exactOptional(z.boolean()),
});

/** Schema of {@link GetSessionMessagesResult}. */
export const getSessionMessagesResultSchema: z.ZodMiniType<GetSessionMessagesResult> = z.looseObject({
  messages: z.array(sessionMessageSchema),
  hasMore: z.boolean(),
  nextCursor: optionalText,
});

/** Schema of {@link ArchiveSessionResult}. */
export const archiveSessionResultSchema: z.ZodMiniType<ArchiveSessionResult> = z.looseObject({
  success: z.boolean(),
  archivedAt: text,
});
