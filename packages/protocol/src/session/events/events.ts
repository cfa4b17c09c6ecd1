import type { DaemonErrorCode } from "../../errors.js";
import type { AgentCommand, PlanEntry, ToolCallDetails, ToolProgressUpdate } from "../notifications.js";
import type { AskUserParams, RequestPermissionParams } from "../requests.js";
import type {
  McpServerState,
  McpSummary,
  Open,
  SessionMessage,
  TokenUsage,
  ToolUseBlock,
  WorkingState,
} from "../values.js";

// Facts of the wire: docs/wire/session.md#stream-messages, docs/wire/session.md#partial-messages,
// docs/wire/session.md#results

/** A whole message of the assistant; `text` is its text blocks joined. */
export interface AssistantEvent {
  type: "assistant";
  message: SessionMessage;
  text: string;
}

/**
 * A message that entered the conversation as the user's: the prompt itself, and context the agent added (`visibility:
 * "llm_only"`).
 */
export interface UserEvent {
  type: "user";
  message: SessionMessage;
}

/** The assistant uses a tool, with this input. Precedes the {@link AssistantEvent} of the message that contains the tool use. */
export interface ToolCallEvent {
  type: "tool_call";
  name: string;
  toolUse: ToolUseBlock;
}

/** The result of a tool use. One event per tool use, even where an interrupted agent reports two results. */
export interface ToolResultEvent {
  type: "tool_result";
  toolUseId: string;
  /** From the tool's call; empty when the call was not in this stream. */
  toolName: string;
  content: string | unknown[];
  isError: boolean;
}

/** A hook command started or ended; one event per command. */
export interface HookEvent {
  type: "hook";
  hookId: string;
  status: Open<"started" | "completed" | "error">;
  eventName?: string;
  matcher?: string;
  toolCallId?: string;
  command?: string;
  timeout?: number;
  exitCode?: number;
  stdout?: string;
  stderr?: string;
}

/** The agent reported an error. The turn may continue; the {@link ResultEvent} states how it ended. */
export interface ErrorEvent {
  type: "error";
  message: string;
  errorType: string;
  /** Unix milliseconds; absent where the agent stated no time. */
  timestamp?: number;
}

/**
 * A condition of the daemon that concerns its users, such as `STORAGE_FULL`: the turn continues, but its events are not stored
 * for now. Unlike an {@link ErrorEvent}, it is no failure of the turn, whose result may be a success. It does not wait behind
 * events that the daemon holds back for a slow reader.
 */
export interface SessionNoticeEvent {
  type: "session_notice";
  code: Open<DaemonErrorCode>;
  message: string;
  /** Unix milliseconds. */
  timestamp: number;
}

/**
 * The agent asked its user; in `follow` only, because a stream's requests go to handlers. The request may have been answered since:
 * a later event `permission_resolved` or `ask_user_resolved` says so, and `answerRequest` then rejects with REQUEST_NOT_PENDING.
 */
export type RequestOpenedEvent = { type: "request_opened"; requestId: string } & (
  | { method: "request_permission"; params: RequestPermissionParams }
  | { method: "ask_user"; params: AskUserParams }
);

/** Events that are yielded without `includePartialMessages`, except the result: the contents of `result.messages`. */
export type DefaultEvent = AssistantEvent | UserEvent | ToolCallEvent | ToolResultEvent | HookEvent | ErrorEvent;

/** Why a turn failed. */
export interface TurnError {
  message: string;
  /** Name of the error class it stands for, such as `ProcessExitError`. */
  errorType: string;
  /**
   * `PROCESS_EXITED` when the agent's process ended in the turn, `AGENT_UNSTABLE` when the agent is not started again for now;
   * absent where the agent reported text only.
   */
  code?: DaemonErrorCode;
  /** Unix milliseconds. */
  timestamp?: number;
  exitCode?: number | null;
  signal?: string | null;
}

/** Why there is no usable structured output. */
export interface StructuredOutputError {
  code: Open<"missing_structured_output" | "invalid_structured_output" | "invalid_schema" | "schema_validation_failed">;
  message: string;
}

export type ResultSubtype = "success" | "interrupted" | "error_during_execution" | "error_structured_output";

/**
 * How the turn ended; always the last event of a stream that ended by itself.
 *
 * Holds the fields of both generations of the original: `text` = `result`, `turnCount` = `numTurns`, `isError` = `!success`.
 */
export interface ResultEvent<Output = unknown> {
  type: "result";
  subtype: ResultSubtype;
  sessionId: string;
  /** Id of the prompt this turn answered. */
  messageId: string;
  durationMs: number;
  turnCount: 1;
  numTurns: 1;
  /** Text of the last assistant message, else the received deltas, joined. */
  text: string;
  result: string;
  /** The last usage received in this turn, or null. */
  tokenUsage: TokenUsage | null;
  messages: DefaultEvent[];
  success: boolean;
  isError: boolean;
  interrupted: boolean;
  /** The reason the daemon gave, such as `completed` or `agent_exited`; absent on daemons that report only idle. */
  reason?: string;
  /** Present when an `outputFormat` was requested and the answer has that format; for a Standard Schema, the schema's output. */
  structuredOutput?: Output;
  structuredOutputError?: StructuredOutputError;
  /** The first of `errors`. In an interrupted turn: why the daemon ended it. */
  error?: TurnError;
  errors?: TurnError[];
}

/** A piece of a text (`includePartialMessages`). */
export interface TextDeltaEvent<Type extends "assistant_text_delta" | "thinking_text_delta" = "assistant_text_delta"> {
  type: Type;
  messageId: string;
  blockIndex: number;
  text: string;
}

/** Events that are yielded only with `includePartialMessages`. Only daemons of ours send the last five. */
export type PartialEvent =
  | TextDeltaEvent<"assistant_text_delta">
  | TextDeltaEvent<"thinking_text_delta">
  | { type: "assistant_text_complete"; messageId: string; blockIndex: number }
  | { type: "thinking_text_complete"; messageId: string; blockIndex: number; durationMs?: number }
  | { type: "tool_call_delta"; toolUse: ToolUseBlock }
  | { type: "tool_progress"; toolUseId: string; toolName: string; content: string; update: ToolProgressUpdate }
  | { type: "working_state_changed"; state: Open<WorkingState> }
  | ({ type: "token_usage_update" } & TokenUsage)
  | { type: "permission_resolved"; requestId: string; toolUseIds: string[]; selectedOption: string }
  | { type: "ask_user_resolved"; requestId: string; toolCallId: string; cancelled: boolean }
  | { type: "settings_updated"; settings: Record<string, unknown> }
  | { type: "session_title_updated"; title: string }
  | { type: "mcp_status_changed"; servers: McpServerState[]; summary: McpSummary }
  | { type: "mcp_auth_required"; serverName: string; authUrl: string; message: string; state: string }
  | { type: "mcp_auth_completed"; serverName: string; outcome: string; message: string }
  | { type: "mission_state_changed"; state: string }
  | { type: "mission_features_changed"; features: unknown[] }
  | { type: "mission_progress_entry"; progressLog: unknown[] }
  | { type: "mission_heartbeat"; timestamp?: number }
  | { type: "mission_worker_started"; workerSessionId: string }
  | { type: "mission_worker_completed"; workerSessionId: string; exitCode: number }
  | { type: "llm_retry"; attempt: number; reason: string }
  | { type: "tool_execution_phase_changed"; toolUseId: string; toolName: string; phase: Open<"queued" | "executing"> }
  | { type: "assistant_message_retracted"; messageId: string }
  | { type: "plan_changed"; entries: PlanEntry[] }
  | { type: "commands_changed"; commands: AgentCommand[] }
  | { type: "context_usage_changed"; usedTokens: number; contextTokens: number; cost?: Record<string, unknown> }
  | ({ type: "tool_call_details" } & ToolCallDetails)
  | { type: "agent_update"; update: Record<string, unknown> }
  | { type: "agent_state_changed"; state: Open<"waiting" | "starting" | "ready" | "failed"> };

/** What `MessageBridge` makes of notifications: every event of a stream except gaps and the result. */
export type BridgedEvent = DefaultEvent | PartialEvent | SessionNoticeEvent | RequestOpenedEvent;
