import type {
  McpServerState,
  McpSummary,
  Open,
  SessionMessage,
  TokenUsage,
  ToolUseBlock,
  WorkingState,
} from "./values.js";

// Facts of the wire: docs/wire/session.md#session-notifications, docs/wire/session.md#daemon-notifications,
// docs/wire/session.md#turn-end

/**
 * Fields of each `session_notification`, by its `type`.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#session-notifications
 */
export interface SessionNotificationFields {
  droid_working_state_changed: { newState: Open<WorkingState> };
  create_message: { message: SessionMessage; parentId?: string; requestId?: string };
  assistant_text_delta: { messageId: string; blockIndex: number; textDelta: string };
  assistant_text_complete: { messageId: string; blockIndex: number };
  assistant_message_retracted: { messageId: string };
  thinking_text_delta: { messageId: string; blockIndex: number; textDelta: string };
  thinking_text_complete: { messageId: string; blockIndex: number; durationMs?: number };
  tool_call: { toolUse: ToolUseBlock };
  tool_result: { messageId: string; toolUseId: string; content?: unknown; isError?: boolean; id?: string };
  tool_progress_update: { toolUseId: string; toolName: string; update: ToolProgressUpdate };
  tool_execution_heartbeat: { toolUseId: string; toolName: string };
  tool_execution_phase_changed: { toolUseId: string; toolName: string; phase: Open<"queued" | "executing"> };
  structured_output: {
    messageId: string;
    structuredOutput: Record<string, unknown> | null;
    structuredOutputError?: { code: string; message: string };
  };
  error: { message: string; errorType: string; timestamp: string; error?: { name: string; message: string } };
  llm_retry: { attempt: number; reason: string };
  permission_resolved: { requestId: string; toolUseIds: string[]; selectedOption: string };
  settings_updated: { requestId?: string; settings: Record<string, unknown> };
  session_title_updated: { requestId?: string; title: string; updateType?: string };
  session_token_usage_changed: { sessionId: string; tokenUsage: TokenUsage };
  session_compacted: { summaryId: string; removedCount: number; visibleBoundaryMessageId: string | null };
  session_working_directory_changed: { cwd: string };
  queued_messages_discarded: { text: string; requestId?: string };
  loop_state_changed: { loopState: Record<string, unknown> };
  agent_turn_completed: AgentTurnCompleted;
  mcp_status_changed: { servers: McpServerState[]; summary: McpSummary };
  mcp_auth_required: { serverName: string; authUrl: string; message: string; state: string };
  mcp_auth_completed: { serverName: string; outcome: string; message: string };
  hook_execution_started: HookExecutionStarted;
  hook_execution_completed: HookExecutionCompleted;
  mission_state_changed: { state: string; updatedAt?: unknown };
  mission_features_changed: { features: unknown[] };
  mission_progress_entry: { progressLog: unknown[] };
  mission_heartbeat: { timestamp: string };
  mission_worker_started: { workerSessionId: string };
  mission_worker_completed: { workerSessionId: string; exitCode: number };
  session_inactivity: { message: string; timestamp: number; timeoutSeconds: number };
  session_process_exited: { message: string; timestamp: number };
  /** Ours (docs/protocol.md §6): a message to all attached clients that fails no turn. `code` is an error code. */
  session_notice: { code: string; message: string; timestamp: number };
  /** Our daemon adds `reason` (docs/protocol.md §6): `deleted` when the session cannot be loaded again, `moved` when the machine `machineId` has it. */
  session_closed: { timestamp: number; reason?: unknown; machineId?: unknown };
  /** Our daemon adds `code` (docs/protocol.md §9): `RESUME_TOO_OLD` when the journal no longer has the next entry. */
  session_unsubscribed: { message: string; code?: unknown };
  child_session_available: { childSessionId: string; timestamp: number };
  "daemon.terminal_data": { terminalId: string; data: string };
  "daemon.terminal_exit": { terminalId: string; exitCode: number; signal?: unknown };
  /**
   * Ours (docs/protocol.md §9, "Follow"), in pages of `get_session_events` only: the agent asked the user. `params` are those of the
   * request. `permission_resolved` or `ask_user_resolved` reports the answer.
   */
  request_opened: {
    requestId: string;
    method: Open<"request_permission" | "ask_user">;
    params: Record<string, unknown>;
  };
  /** Ours (docs/protocol.md, "Agents of other protocols"), as the four below: the agent's plan, always the whole. */
  plan_changed: { entries: PlanEntry[] };
  /** The commands that a prompt to the agent may begin with, always all. */
  commands_changed: { commands: AgentCommand[] };
  /** How much of the model's context is used, in tokens. */
  context_usage_changed: { usedTokens: number; contextTokens: number; cost?: Record<string, unknown> };
  tool_call_details: ToolCallDetails;
  /** What the agent reported in its own protocol, and no version of ours has a type for. */
  agent_update: { update: Record<string, unknown> };
  /** Ours (docs/protocol.md, "Waiting for an agent"): where a start of the session's agent is that takes long. */
  agent_state_changed: { state: Open<"waiting" | "starting" | "ready" | "failed"> };
  /** Ours (docs/protocol.md, "Inbox"): an ask-user request was answered or closed. */
  ask_user_resolved: { requestId: string; toolCallId: string; cancelled: boolean };
}

/** One step of an agent's plan. */
export interface PlanEntry {
  content: string;
  status: Open<"pending" | "in_progress" | "completed">;
  priority?: Open<"high" | "medium" | "low">;
  [key: string]: unknown;
}

/** A command of an agent. A prompt uses it when it begins with `/` and the name. */
export interface AgentCommand {
  name: string;
  description: string;
  /** What the command expects after its name. */
  hint?: string;
  [key: string]: unknown;
}

/** What a client needs to show a tool call as its agent does. Keys that are absent are not known. */
export interface ToolCallDetails {
  toolUseId: string;
  title?: string;
  kind?: string;
  /** Files that the tool reads or changes: `{path, line?}`. */
  locations?: unknown[];
  /** Differences `{type: "diff", path, oldText?, newText}`, of a whole file or of a part, and terminals `{type: "terminal", terminalId}`. */
  content?: unknown[];
  rawOutput?: unknown;
  [key: string]: unknown;
}

/** Progress of a running tool; `type` decides which of the texts is present. */
export interface ToolProgressUpdate {
  type: Open<"tool_call" | "tool_result" | "error" | "status" | "message">;
  text?: string;
  status?: string;
  details?: string;
  [key: string]: unknown;
}

/**
 * A turn ended. `turnId` is the id of the user message that started it.
 *
 * Reasons of the original: `completed`, `cancelled`, `error`, `model_authentication_failed`; our daemon adds
 * `agent_exited` and `daemon_restarted`, with details in `message`, `exitCode` and `signal`.
 */
export interface AgentTurnCompleted {
  reason: Open<
    "completed" | "cancelled" | "error" | "model_authentication_failed" | "agent_exited" | "daemon_restarted"
  >;
  turnId: string;
  tokenUsage?: TokenUsage;
  durationMs?: number;
  message?: string;
  /** Ours (docs/protocol.md §7): code of the error that ended the turn, such as `AGENT_UNSTABLE`. */
  code?: string;
  exitCode?: number | null;
  signal?: string | null;
  [key: string]: unknown;
}

/** A hook begins; one notification covers all its commands. */
export interface HookExecutionStarted {
  hookId: string;
  hookEventName: string;
  hookMatcher?: string;
  hookCommands: { command: string; timeout?: number }[];
  hookToolCallId?: string;
  [key: string]: unknown;
}

/** A hook has ended, with one result per command. `timeout` in seconds. */
export interface HookExecutionCompleted {
  hookId: string;
  hookEventName?: string;
  hookMatcher?: string;
  hookToolCallId?: string;
  hookStatus: Open<"completed" | "error">;
  hookResults?: { exitCode: number; stdout: string; stderr: string; command?: string; timeout?: number }[];
  [key: string]: unknown;
}

/** `type` of a known notification. */
export type SessionNotificationType = keyof SessionNotificationFields;

/** A notification of a known type. Check with `isKnownNotification` before reading its fields. */
export type KnownSessionNotification = {
  [Type in SessionNotificationType]: { type: Type } & SessionNotificationFields[Type];
}[SessionNotificationType];

/** Any notification. Unknown types are forwarded unchanged. */
export interface SessionNotification {
  type: string;
  [key: string]: unknown;
}

/** Params of `session_notification`. An agent may omit `sessionId`; a daemon never does. */
export interface SessionNotificationParams {
  sessionId?: string;
  notification: SessionNotification;
}

/** Params of `session_notifications`: a batch, whose first entry has the position of the envelope (docs/protocol.md, "Batches"). */
export interface SessionNotificationsParams {
  sessionId: string;
  notifications: SessionNotification[];
}
