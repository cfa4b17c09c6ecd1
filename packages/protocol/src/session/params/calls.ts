import type { PendingAskUser, PendingPermission } from "../requests.js";
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
} from "../values.js";
import type { DaemonCapabilities } from "./capabilities.js";
import type { Credit } from "./extensions.js";
import type { SessionScoped } from "./scope.js";

/** Result of calls that a newer daemon may acknowledge before they are complete. */
export interface CommandAck {
  accepted?: boolean;
}

/** First message on a socket. One of `token`, `apiKey`, or (to our daemon) `proof` or `ticket`. */
export interface AuthenticateParams {
  token?: string;
  apiKey?: string;
  /** Ours (docs/protocol.md, "Proof"): proves that the client has the local token, without sending the token. Hex. */
  proof?: string;
  /** Ours (docs/protocol.md, "Tickets"): made by `create_ticket`, valid for one connection. */
  ticket?: string;
  caller: string;
  connectionId?: string;
  metadata?: Record<string, unknown>;
}
/** The authenticated user. `capabilities` only from a daemon with extensions. */
export interface AuthenticateResult {
  userId: string;
  orgId: string;
  capabilities?: DaemonCapabilities;
  /** Id of this start of the daemon; an extension (docs/protocol.md §4). */
  instanceId?: string;
}

/** Settings a session can start with or be switched to. */
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

/** Starts a session. `token` repeats the credential; `cwd` is a path on the daemon's machine. */
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
  /** Ours: variables of the agent's environment, of names that its configuration allows; only where the daemon offers `sessionEnv`. */
  env?: Record<string, string>;
  /** Ours: this connection leaves requests it cannot answer; only where the daemon offers `inbox`. */
  inbox?: boolean;
  /** Ours: how much to send before more is granted; only where the daemon offers `credit`. Default: without bound. */
  credit?: Credit;
}
/** A started session. Its `sessionId` routes later frames. */
export interface InitializeSessionResult {
  sessionId: string;
  session: { messages: SessionMessage[]; title?: string };
  settings: SessionSettings;
  hostId?: string;
  mcpServers?: McpServerState[];
  availableModels?: AvailableModel[];
  cwd?: string;
  /** Ours: start of this connection's cursor. */
  position?: Position;
}

/** Attaches this connection to a session and asks for a snapshot. */
export interface LoadSessionParams extends SessionScoped {
  token: string;
  mcpServers?: McpServerConfig[];
  loadAllMessages?: boolean;
  messageLimit?: number;
  disableInactivityTimeout?: boolean;
  /** Ours: another working directory from now on, for a session whose own is gone; only where the daemon offers `workspace`. */
  cwd?: string;
  /** Ours: this connection leaves requests it cannot answer; only where the daemon offers `inbox`. */
  inbox?: boolean;
  /** Ours: how much to send before more is granted; only where the daemon offers `credit`. Default: without bound. */
  credit?: Credit;
}
/** Has no `sessionId`: the multiplexer uses that of the request. */
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
  /** Ours: position of this snapshot, and start of this connection's cursor. */
  position?: Position;
}

/** A prompt. A repeated prompt with the same `messageId` and content starts no second turn. */
export interface AddUserMessageParams extends SessionScoped {
  text: string;
  messageId?: string;
  images?: ImageSource[];
  files?: FileSource[];
  outputFormat?: OutputFormat;
  skipAgentLoop?: boolean;
  queuePlacement?: Open<"end_of_turn" | "end_of_loop">;
}
/** A queued prompt, with the id of its `add_user_message` request. */
export interface QueuedMessage extends AddUserMessageParams {
  requestId: string;
}

/** Interrupts the running turn. */
export interface InterruptSessionParams extends SessionScoped {
  /** Ours: interrupts only the turn of that message; where the daemon offers `turnInterrupt`. */
  messageId?: string;
}

/** Starts a new session with the history of this one. */
export interface ForkSessionParams extends SessionScoped {
  title?: string;
  tags?: SessionTag[];
}

/** Result of compact, fork and rewind: a new session. The old one is kept. */
export interface NewSessionResult {
  newSessionId: string;
}
/** A session that starts from a summary, without `removedCount` messages of the old one. */
export interface CompactSessionResult extends NewSessionResult {
  removedCount: number;
}
/** The files that a rewind to a message could change. */
export interface RewindInfoResult {
  availableFiles: { filePath: string; contentHash: string; size: number }[];
  createdFiles: { filePath: string }[];
  evictedFiles: { filePath: string; reason: string }[];
}
/** Rewinds to a message in a new session. The named files are restored or deleted. */
export interface ExecuteRewindParams extends SessionScoped {
  messageId: string;
  filesToRestore: { filePath: string; contentHash: string; size: number }[];
  filesToDelete: { filePath: string }[];
  forkTitle: string;
}
/** The new session, and how many files were changed. */
export interface ExecuteRewindResult extends NewSessionResult {
  restoredCount: number;
  deletedCount: number;
  failedRestoreCount: number;
  failedDeleteCount: number;
}
/** Contents of the model's context, in tokens. */
export interface ContextBreakdownResult {
  modelId: string;
  modelDisplayName: string;
  contextBudget: number;
  lastCallCompactionTokens?: number;
  usedTokens: number;
  freeTokens: number;
  categories: { name: string; tokens: number; colorKey: string }[];
  skills: unknown[];
  mcpServers: unknown[];
  droids: unknown[];
}

/** Adds an MCP server to the user's settings: `command` for stdio, `url` for the others. */
export interface AddMcpServerParams extends SessionScoped {
  name: string;
  type: Open<"stdio" | "http" | "sse">;
  url?: string;
  headers?: Record<string, string>;
  command?: string;
  args?: string[];
  env?: Record<string, string>;
}
/** Names an MCP server of a session. */
export interface McpServerParams extends SessionScoped {
  serverName: string;
}
/** MCP servers of a session, and how many are in which state. */
export interface ListMcpServersResult {
  servers: McpServerState[];
  summary: McpSummary;
}
/** A tool that an MCP server offers. */
export interface McpTool {
  serverName: string;
  name: string;
  description?: string;
  isEnabled: boolean;
  [key: string]: unknown;
}
/** A skill the agent can use; `filePath` is on the daemon's machine. */
export interface Skill {
  name: string;
  description?: string;
  location: Open<"project" | "personal" | "builtin">;
  filePath: string;
  [key: string]: unknown;
}
