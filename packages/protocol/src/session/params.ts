import type { DaemonCapabilities } from "./capabilities.js";
import type { PendingAskUser, PendingPermission } from "./requests.js";
import type {
  AutonomyLevel,
  AvailableModel,
  FileSource,
  ImageSource,
  InteractionMode,
  McpServerConfig,
  McpServerState,
  McpSummary,
  Open,
  OutputFormat,
  Position,
  ReasoningEffort,
  SessionMessage,
  SessionSettings,
  SessionSource,
  SessionTag,
  TokenUsage,
  WorkingState,
} from "./values.js";

/** Every session call names its session. */
export interface SessionScoped {
  sessionId: string;
}

/** Result of calls that a newer daemon may acknowledge before they are done (session spec §1.6). */
export interface CommandAck {
  accepted?: boolean;
}

/** First message on a socket (session spec §3.1). One of `token`, `apiKey`, or (to our daemon) `proof`. */
export interface AuthenticateParams {
  token?: string;
  apiKey?: string;
  /** Ours (docs/protocol.md, "Proof"): shows that this side knows the local token without sending it. Hex. */
  proof?: string;
  caller: string;
  connectionId?: string;
  metadata?: Record<string, unknown>;
}
export interface AuthenticateResult {
  userId: string;
  orgId: string;
  capabilities?: DaemonCapabilities;
}

/** Settings a session can start with or be switched to (session spec §5.2, §5.5). */
export interface SettingsParams {
  modelId?: string;
  reasoningEffort?: Open<ReasoningEffort>;
  interactionMode?: Open<InteractionMode>;
  autonomyLevel?: Open<AutonomyLevel>;
  specModeModelId?: string | null;
  specModeReasoningEffort?: Open<ReasoningEffort> | null;
  tags?: SessionTag[];
  enabledToolIds?: string[];
  disabledToolIds?: string[];
  compactionTokenLimit?: number;
  compactionThresholdCheckEnabled?: boolean;
}

export interface InitializeSessionParams extends SettingsParams {
  token: string;
  machineId: string;
  cwd: string;
  sessionId?: string;
  workspaceId?: string;
  mcpServers?: McpServerConfig[];
  sessionSource?: SessionSource;
  inactivityTimeoutMs?: number;
  disableInactivityTimeout?: boolean;
  /** Ours: which configured agent to start; only where the daemon offers `agents`. */
  agent?: string;
}
export interface InitializeSessionResult {
  sessionId: string;
  session: { messages: SessionMessage[]; title?: string };
  settings: SessionSettings;
  hostId?: string;
  mcpServers?: McpServerState[];
  availableModels?: AvailableModel[];
  cwd?: string;
  /** Ours: where this connection's cursor starts. */
  position?: Position;
}

export interface LoadSessionParams extends SessionScoped {
  token: string;
  mcpServers?: McpServerConfig[];
  loadAllMessages?: boolean;
  messageLimit?: number;
  disableInactivityTimeout?: boolean;
}
/** Without a `sessionId` (session spec §5.3): the multiplexer learns it from the request. */
export interface LoadSessionResult {
  session: { messages: SessionMessage[]; title?: string };
  settings: SessionSettings;
  hostId?: string;
  mcpServers?: McpServerState[];
  cwd?: string;
  availableModels?: AvailableModel[];
  pendingPermissions?: PendingPermission[];
  pendingAskUserRequests?: PendingAskUser[];
  isAgentLoopInProgress?: boolean;
  queuedMessages?: QueuedMessage[];
  tokenUsage?: TokenUsage;
  workingState?: Open<WorkingState>;
  /** Ours: the place this snapshot was taken at, and where this connection's cursor starts. */
  position?: Position;
}

export interface AddUserMessageParams extends SessionScoped {
  text: string;
  messageId?: string;
  images?: ImageSource[];
  files?: FileSource[];
  outputFormat?: OutputFormat;
  skipAgentLoop?: boolean;
  queuePlacement?: Open<"end_of_turn" | "end_of_loop">;
}
export interface QueuedMessage extends AddUserMessageParams {
  requestId: string;
}

/** Result of compact, fork and rewind: a new session; the old one stays (session spec §5.5). */
export interface NewSessionResult {
  newSessionId: string;
}
export interface CompactSessionResult extends NewSessionResult {
  removedCount: number;
}
export interface RewindInfoResult {
  availableFiles: { filePath: string; contentHash: string; size: number }[];
  createdFiles: { filePath: string }[];
  evictedFiles: { filePath: string; reason: string }[];
}
export interface ExecuteRewindParams extends SessionScoped {
  messageId: string;
  filesToRestore: { filePath: string; contentHash: string; size: number }[];
  filesToDelete: { filePath: string }[];
  forkTitle: string;
}
export interface ExecuteRewindResult extends NewSessionResult {
  restoredCount: number;
  deletedCount: number;
  failedRestoreCount: number;
  failedDeleteCount: number;
}
export interface ContextBreakdownResult {
  modelId: string;
  modelDisplayName: string;
  contextBudget: number;
  usedTokens: number;
  freeTokens: number;
  categories: { name: string; tokens: number; colorKey: string }[];
  skills: unknown[];
  mcpServers: unknown[];
  droids: unknown[];
}

export interface SuccessResult {
  success: boolean;
}
export interface AddMcpServerParams extends SessionScoped {
  name: string;
  type: Open<"stdio" | "http" | "sse">;
  url?: string;
  headers?: Record<string, string>;
  command?: string;
  args?: string[];
  env?: Record<string, string>;
}
export interface McpServerParams extends SessionScoped {
  serverName: string;
}
export interface ListMcpServersResult {
  servers: McpServerState[];
  summary: McpSummary;
}
export interface McpTool {
  serverName: string;
  name: string;
  description?: string;
  isEnabled: boolean;
  [key: string]: unknown;
}
export interface Skill {
  name: string;
  description?: string;
  location: Open<"project" | "personal" | "builtin">;
  filePath: string;
  [key: string]: unknown;
}

/** One row of `list_opened_sessions`; `updatedAt` in epoch seconds (session spec §5.5). */
export interface OpenedSession {
  sessionId: string;
  updatedAt: number;
  workingState: Open<WorkingState>;
  hostId?: string;
  cwd?: string;
  messagesCount?: number;
  tags?: SessionTag[];
}
/** One row of `list_available_sessions`; `updatedAt` in epoch seconds, `archivedAt` ISO (session spec §5.5). */
export interface AvailableSession {
  sessionId: string;
  updatedAt: number;
  title?: string;
  hostId?: string;
  cwd?: string;
  messagesCount?: number;
  archivedAt?: string;
  tags?: SessionTag[];
}
export interface ListAvailableSessionsParams {
  /** 1..100, default 50. */
  limit?: number;
  /** Epoch seconds: only sessions updated before it. */
  endBefore?: number;
}
export interface ListAvailableSessionsResult {
  sessions: AvailableSession[];
  hasMore: boolean;
  nextCursor?: number;
}
export type SearchKind = "message_text" | "document" | "tool_use" | "tool_result" | "all";
export interface SearchSessionsParams {
  query: string;
  kind?: Open<SearchKind>;
  limitSessions?: number;
  limitHitsPerSession?: number;
  contextChars?: number;
}
export interface SearchHit {
  docId: string;
  kind: Open<SearchKind>;
  snippets: string[];
  score?: number;
  toolName?: string;
  messageRole?: Open<"user" | "assistant">;
}
/** `updatedAt` is in ms here, unlike the lists (session spec §5.5). */
export interface SearchSessionsResult {
  query: string;
  sessions: { sessionId: string; title?: string; updatedAt?: number; hits: SearchHit[] }[];
}
export interface GetSessionMessagesParams extends SessionScoped {
  /** 1..100, default 20. */
  limit?: number;
  cursor?: string;
  role?: Open<"user" | "assistant" | "tool">;
}
export interface GetSessionMessagesResult {
  messages: SessionMessage[];
  hasMore: boolean;
  nextCursor?: string;
}
export interface ArchiveSessionResult extends SuccessResult {
  /** ISO 8601. */
  archivedAt: string;
}
