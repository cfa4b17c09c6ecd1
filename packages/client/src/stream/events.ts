import type {
  DefaultEvent,
  Open,
  PartialEvent,
  Position,
  RequestOpenedEvent,
  ResultEvent,
  SessionNoticeEvent,
} from "@daemon-sdk/protocol";
import type { GapReason, SessionSnapshot } from "../session/index.js";
import type { EventPosition, Placed } from "./event-position.js";

export type {
  AssistantEvent,
  BridgedEvent,
  DefaultEvent,
  ErrorEvent,
  HookEvent,
  PartialEvent,
  RequestOpenedEvent,
  ResultEvent,
  ResultSubtype,
  SessionNoticeEvent,
  StructuredOutputError,
  TextDeltaEvent,
  ToolCallEvent,
  ToolResultEvent,
  TurnError,
  UserEvent,
} from "@daemon-sdk/protocol";

// Facts of the wire: docs/wire/session.md#stream-messages, docs/wire/session.md#partial-messages,
// docs/wire/session.md#results

/**
 * `type` of every event a stream can yield, under the name the original SDK has for the list.
 *
 * The first ten are always yielded; the others only with `includePartialMessages`.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#stream-messages
 */
export const DroidMessageType = {
  Assistant: "assistant",
  User: "user",
  ToolCall: "tool_call",
  ToolResult: "tool_result",
  Hook: "hook",
  Error: "error",
  SessionNotice: "session_notice",
  RequestOpened: "request_opened",
  Gap: "gap",
  Result: "result",
  AssistantTextDelta: "assistant_text_delta",
  AssistantTextComplete: "assistant_text_complete",
  AssistantMessageRetracted: "assistant_message_retracted",
  ThinkingTextDelta: "thinking_text_delta",
  ThinkingTextComplete: "thinking_text_complete",
  ToolCallDelta: "tool_call_delta",
  ToolProgress: "tool_progress",
  ToolExecutionPhaseChanged: "tool_execution_phase_changed",
  WorkingStateChanged: "working_state_changed",
  TokenUsageUpdate: "token_usage_update",
  LlmRetry: "llm_retry",
  PermissionResolved: "permission_resolved",
  AskUserResolved: "ask_user_resolved",
  SettingsUpdated: "settings_updated",
  SessionTitleUpdated: "session_title_updated",
  McpStatusChanged: "mcp_status_changed",
  McpAuthRequired: "mcp_auth_required",
  McpAuthCompleted: "mcp_auth_completed",
  MissionStateChanged: "mission_state_changed",
  MissionFeaturesChanged: "mission_features_changed",
  MissionProgressEntry: "mission_progress_entry",
  MissionHeartbeat: "mission_heartbeat",
  MissionWorkerStarted: "mission_worker_started",
  MissionWorkerCompleted: "mission_worker_completed",
  PlanChanged: "plan_changed",
  CommandsChanged: "commands_changed",
  ContextUsageChanged: "context_usage_changed",
  ToolCallDetails: "tool_call_details",
  AgentUpdate: "agent_update",
  AgentStateChanged: "agent_state_changed",
} as const;

export type DroidMessageType = (typeof DroidMessageType)[keyof typeof DroidMessageType];

export type { GapReason } from "../session/index.js";

/**
 * Events of the session that this client did not receive, and cannot receive any more. The stream continues after them. Messages
 * of the turn that the daemon still has follow as events of their own; deltas do not.
 */
export interface GapEvent {
  type: "gap";
  reason: Open<GapReason>;
  /** Position of the last event before the gap, and the first position after it, where the daemon states positions. */
  from?: Position;
  to?: Position;
  /** The session as it was loaded after the gap; absent when it was not loaded. */
  snapshot?: SessionSnapshot;
}

/**
 * One event of a stream. Switch on `type`; new types may be added in minor versions. `position` is its place in the session's
 * journal, where the daemon offers positions and the event was made of an entry.
 */
export type DroidStreamEvent<Output = unknown> = (
  | DefaultEvent
  | PartialEvent
  | SessionNoticeEvent
  | RequestOpenedEvent
  | GapEvent
  | ResultEvent<Output>
) &
  Placed;

/** One event of `follow`: of any turn of the session, or of none. */
export type FollowedEvent = DroidStreamEvent & {
  position: EventPosition;
  /** Id of the prompt whose turn the event belongs to; absent between turns. */
  turnId?: string;
};

/** The events of a session, of all turns. One consumer at a time; leaving the loop changes nothing in the session. */
export interface SessionFollow extends AsyncIterableIterator<FollowedEvent, undefined> {
  /**
   * Resolves with the position after which the follow begins: `after`, or the end of the journal as it was. Rejects as the first
   * `next()` does.
   */
  readonly begin: Promise<EventPosition>;
  [Symbol.asyncIterator](): this;
  next(): Promise<IteratorResult<FollowedEvent, undefined>>;
  /** Ends the iteration at once, also while `next()` waits. */
  return(): Promise<IteratorResult<FollowedEvent, undefined>>;
  /** Ends the iteration at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The events of one turn, in order, each once, with the `result` last.
 *
 * Nothing is sent before the first `next()`, that is, before a `for await` begins. A `break` out of the loop interrupts the turn,
 * and no event of it reaches the session's next stream. One consumer at a time.
 */
export interface DroidStream<Output = unknown> extends AsyncIterableIterator<DroidStreamEvent<Output>, undefined> {
  /** Id of the prompt, and of the turn it starts. */
  readonly messageId: string;
  [Symbol.asyncIterator](): this;
  /** The next event. The first call sends the prompt. */
  next(): Promise<IteratorResult<DroidStreamEvent<Output>, undefined>>;
  /** Abandons the stream, as `break` does: interrupts the turn unless it has ended, and drops the events that wait. */
  return(): Promise<IteratorResult<DroidStreamEvent<Output>, undefined>>;
  /** Abandons the stream because its consumer failed; rejects with `error`. */
  throw(error: unknown): Promise<IteratorResult<DroidStreamEvent<Output>, undefined>>;
  /** Abandons the stream at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}
