import type { KnownSessionNotification, SessionNotification, SessionNotificationType } from "./notifications.js";
import { type Check, listOf, optionally, shape } from "./shape.js";
import { isSessionMessage, isTokenUsage, isToolUse } from "./value-guards.js";

const hookCommands = listOf(shape("command timeout#?"));
const hookResults = listOf(shape("exitCode# stdout stderr command? timeout#?"));

/** The required fields of each type, in the notation of {@link shape}. `test/schema` proves them equal to the zod schemas. */
const SHAPES: Readonly<Record<SessionNotificationType, string | Check>> = {
  assistant_text_delta: isTextDelta,
  thinking_text_delta: isTextDelta,
  droid_working_state_changed: "newState",
  create_message: shape("parentId? requestId?", { message: isSessionMessage }),
  assistant_text_complete: "messageId blockIndex#",
  assistant_message_retracted: "messageId",
  thinking_text_complete: "messageId blockIndex# durationMs#?",
  tool_call: shape("", { toolUse: isToolUse }),
  tool_result: "messageId toolUseId isError!? id?",
  tool_progress_update: shape("toolUseId toolName", { update: shape("type text? status? details?") }),
  tool_execution_heartbeat: "toolUseId toolName",
  tool_execution_phase_changed: "toolUseId toolName phase",
  structured_output: shape("messageId", {
    structuredOutput: orNull(shape("")),
    structuredOutputError: optionally(shape("code message")),
  }),
  error: shape("message errorType timestamp", { error: optionally(shape("name message")) }),
  llm_retry: "attempt# reason",
  permission_resolved: shape("requestId selectedOption", { toolUseIds: listOf(isString) }),
  settings_updated: "requestId? settings{}",
  session_title_updated: "requestId? title updateType?",
  session_token_usage_changed: shape("sessionId", { tokenUsage: isTokenUsage }),
  session_compacted: shape("summaryId removedCount#", { visibleBoundaryMessageId: orNull(isString) }),
  session_working_directory_changed: "cwd",
  queued_messages_discarded: "text requestId?",
  loop_state_changed: "loopState{}",
  agent_turn_completed: shape("reason turnId durationMs#? message? code?", {
    tokenUsage: optionally(isTokenUsage),
    exitCode: orNull(optionally(Number.isFinite)),
    signal: orNull(optionally(isString)),
  }),
  mcp_status_changed: shape("", {
    servers: listOf(shape("name status")),
    summary: shape("total# connected# connecting# failed# disabled#?"),
  }),
  mcp_auth_required: "serverName authUrl message state",
  mcp_auth_completed: "serverName outcome message",
  hook_execution_started: shape("hookId hookEventName hookMatcher? hookToolCallId?", { hookCommands }),
  hook_execution_completed: shape("hookId hookEventName? hookMatcher? hookToolCallId? hookStatus", {
    hookResults: optionally(hookResults),
  }),
  mission_state_changed: "state",
  mission_features_changed: "features[]",
  mission_progress_entry: "progressLog[]",
  mission_heartbeat: "timestamp",
  mission_worker_started: "workerSessionId",
  mission_worker_completed: "workerSessionId exitCode#",
  session_inactivity: "message timestamp# timeoutSeconds#",
  session_process_exited: "message timestamp#",
  session_notice: "message timestamp# code",
  session_closed: "timestamp#",
  session_unsubscribed: "message",
  child_session_available: "childSessionId timestamp#",
  "daemon.terminal_data": "terminalId data",
  "daemon.terminal_exit": "terminalId exitCode#",
  request_opened: "requestId method params{}",
  ask_user_resolved: "requestId toolCallId cancelled!",
  plan_changed: shape("", { entries: listOf(shape("content status priority?")) }),
  commands_changed: shape("", { commands: listOf(shape("name description hint?")) }),
  context_usage_changed: "usedTokens# contextTokens# cost{}?",
  tool_call_details: "toolUseId title? kind? locations[]? content[]?",
  agent_update: "update{}",
  agent_state_changed: "state",
};

const CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries(SHAPES).map(([type, fields]) => [type, typeof fields === "string" ? shape(fields) : fields]),
);

/** All known notification types. */
export const SESSION_NOTIFICATION_TYPES = /* @__PURE__ */ Object.keys(SHAPES) as readonly SessionNotificationType[];

/**
 * Whether a notification is of a known type and has the fields of that type.
 *
 * False for types of a newer peer, which are forwarded unchanged, and for a known type with wrong fields: treat both as
 * unknown. Enum values are not checked, and extra keys are accepted.
 */
export function isKnownNotification(notification: SessionNotification): notification is KnownSessionNotification {
  // Nearly all notifications have this type. A comparison costs a fifth of a look-up, which hashes a freshly parsed string.
  if (notification.type === "assistant_text_delta") return isTextDelta(notification);
  return CHECKS.get(notification.type)?.(notification) ?? false;
}

/** Written by hand, because it runs on nearly every event. */
function isTextDelta(value: unknown): boolean {
  const { messageId, blockIndex, textDelta } = value as Readonly<Record<string, unknown>>;
  return isString(messageId) && Number.isFinite(blockIndex) && isString(textDelta);
}

function isString(value: unknown): boolean {
  return typeof value === "string";
}

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}
