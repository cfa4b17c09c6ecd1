import { isRecord } from "./guards.js";
import type { KnownSessionNotification, SessionNotification, SessionNotificationType } from "./notifications.js";
import {
  isAbsentOr,
  isArrayOf,
  isBoolean,
  isNumber,
  isSessionMessage,
  isString,
  isTokenUsage,
  isToolUse,
} from "./value-guards.js";

type Fields = Readonly<Record<string, unknown>>;

const textDelta = (n: Fields) => isString(n.messageId) && isNumber(n.blockIndex) && isString(n.textDelta);
const toolNamed = (n: Fields) => isString(n.toolUseId) && isString(n.toolName);

/** One hand-written check per type: these run on every event. `test/schema` proves them equal to the zod schemas. */
const CHECKS: Readonly<Record<SessionNotificationType, (n: Fields) => boolean>> = {
  assistant_text_delta: textDelta,
  thinking_text_delta: textDelta,
  droid_working_state_changed: (n) => isString(n.newState),
  create_message: (n) =>
    isSessionMessage(n.message) && isAbsentOr(isString, n.parentId) && isAbsentOr(isString, n.requestId),
  assistant_text_complete: (n) => isString(n.messageId) && isNumber(n.blockIndex),
  assistant_message_retracted: (n) => isString(n.messageId),
  thinking_text_complete: (n) => isString(n.messageId) && isNumber(n.blockIndex) && isAbsentOr(isNumber, n.durationMs),
  tool_call: (n) => isToolUse(n.toolUse),
  tool_result: (n) =>
    isString(n.messageId) && isString(n.toolUseId) && isAbsentOr(isBoolean, n.isError) && isAbsentOr(isString, n.id),
  tool_progress_update: (n) => toolNamed(n) && isProgressUpdate(n.update),
  tool_execution_heartbeat: toolNamed,
  tool_execution_phase_changed: (n) => toolNamed(n) && isString(n.phase),
  structured_output: (n) =>
    isString(n.messageId) &&
    (n.structuredOutput === null || isRecord(n.structuredOutput)) &&
    isAbsentOr(isCodeAndMessage, n.structuredOutputError),
  error: (n) =>
    isString(n.message) && isString(n.errorType) && isString(n.timestamp) && isAbsentOr(isNameAndMessage, n.error),
  llm_retry: (n) => isNumber(n.attempt) && isString(n.reason),
  permission_resolved: (n) => isString(n.requestId) && isArrayOf(isString, n.toolUseIds) && isString(n.selectedOption),
  settings_updated: (n) => isAbsentOr(isString, n.requestId) && isRecord(n.settings),
  session_title_updated: (n) =>
    isAbsentOr(isString, n.requestId) && isString(n.title) && isAbsentOr(isString, n.updateType),
  session_token_usage_changed: (n) => isString(n.sessionId) && isTokenUsage(n.tokenUsage),
  session_compacted: (n) =>
    isString(n.summaryId) &&
    isNumber(n.removedCount) &&
    (n.visibleBoundaryMessageId === null || isString(n.visibleBoundaryMessageId)),
  session_working_directory_changed: (n) => isString(n.cwd),
  queued_messages_discarded: (n) => isString(n.text) && isAbsentOr(isString, n.requestId),
  loop_state_changed: (n) => isRecord(n.loopState),
  agent_turn_completed: isTurnCompleted,
  mcp_status_changed: (n) => isArrayOf(isMcpServer, n.servers) && isMcpSummary(n.summary),
  mcp_auth_required: (n) => isString(n.serverName) && isString(n.authUrl) && isString(n.message) && isString(n.state),
  mcp_auth_completed: (n) => isString(n.serverName) && isString(n.outcome) && isString(n.message),
  hook_execution_started: isHookStarted,
  hook_execution_completed: isHookCompleted,
  mission_state_changed: (n) => isString(n.state),
  mission_features_changed: (n) => Array.isArray(n.features),
  mission_progress_entry: (n) => Array.isArray(n.progressLog),
  mission_heartbeat: (n) => isString(n.timestamp),
  mission_worker_started: (n) => isString(n.workerSessionId),
  mission_worker_completed: (n) => isString(n.workerSessionId) && isNumber(n.exitCode),
  session_inactivity: (n) => isString(n.message) && isNumber(n.timestamp) && isNumber(n.timeoutSeconds),
  session_process_exited: (n) => isString(n.message) && isNumber(n.timestamp),
  session_closed: (n) => isNumber(n.timestamp),
  session_unsubscribed: (n) => isString(n.message),
  child_session_available: (n) => isString(n.childSessionId) && isNumber(n.timestamp),
  "daemon.terminal_data": (n) => isString(n.terminalId) && isString(n.data),
  "daemon.terminal_exit": (n) => isString(n.terminalId) && isNumber(n.exitCode),
  ask_user_resolved: (n) => isString(n.requestId) && isString(n.toolCallId) && isBoolean(n.cancelled),
};

const CHECK_OF: ReadonlyMap<string, (n: Fields) => boolean> = new Map(Object.entries(CHECKS));

/** Every notification type this version knows. */
export const SESSION_NOTIFICATION_TYPES = /* @__PURE__ */ Object.keys(CHECKS) as readonly SessionNotificationType[];

/**
 * Whether a notification is of a known type and holds what that type promises, so that its fields can be relied on.
 *
 * False for types of a newer peer, which pass through untouched, and for a known type with wrong fields: treat both as
 * unknown. Enum values are not checked, and extra keys are let through.
 */
export function isKnownNotification(notification: SessionNotification): notification is KnownSessionNotification {
  // Nearly all there is: a comparison costs a fifth of the hash that a look-up takes of a freshly parsed string.
  if (notification.type === "assistant_text_delta") return textDelta(notification);
  return CHECK_OF.get(notification.type)?.(notification) ?? false;
}

function isProgressUpdate(value: unknown): boolean {
  return (
    isRecord(value) &&
    isString(value.type) &&
    isAbsentOr(isString, value.text) &&
    isAbsentOr(isString, value.status) &&
    isAbsentOr(isString, value.details)
  );
}

function isCodeAndMessage(value: unknown): boolean {
  return isRecord(value) && isString(value.code) && isString(value.message);
}

function isNameAndMessage(value: unknown): boolean {
  return isRecord(value) && isString(value.name) && isString(value.message);
}

function isTurnCompleted(n: Fields): boolean {
  return (
    isString(n.reason) &&
    isString(n.turnId) &&
    isAbsentOr(isTokenUsage, n.tokenUsage) &&
    isAbsentOr(isNumber, n.durationMs) &&
    isAbsentOr(isString, n.message) &&
    (n.exitCode === null || isAbsentOr(isNumber, n.exitCode)) &&
    (n.signal === null || isAbsentOr(isString, n.signal))
  );
}

function isMcpServer(value: unknown): boolean {
  return isRecord(value) && isString(value.name) && isString(value.status);
}

function isMcpSummary(value: unknown): boolean {
  return (
    isRecord(value) &&
    isNumber(value.total) &&
    isNumber(value.connected) &&
    isNumber(value.connecting) &&
    isNumber(value.failed) &&
    isAbsentOr(isNumber, value.disabled)
  );
}

function isHookStarted(n: Fields): boolean {
  return (
    isString(n.hookId) &&
    isString(n.hookEventName) &&
    isAbsentOr(isString, n.hookMatcher) &&
    isArrayOf(isHookCommand, n.hookCommands) &&
    isAbsentOr(isString, n.hookToolCallId)
  );
}

function isHookCompleted(n: Fields): boolean {
  return (
    isString(n.hookId) &&
    isAbsentOr(isString, n.hookEventName) &&
    isAbsentOr(isString, n.hookMatcher) &&
    isAbsentOr(isString, n.hookToolCallId) &&
    isString(n.hookStatus) &&
    (n.hookResults === undefined || isArrayOf(isHookResult, n.hookResults))
  );
}

function isHookCommand(value: unknown): boolean {
  return isRecord(value) && isString(value.command) && isAbsentOr(isNumber, value.timeout);
}

function isHookResult(value: unknown): boolean {
  return (
    isRecord(value) &&
    isNumber(value.exitCode) &&
    isString(value.stdout) &&
    isString(value.stderr) &&
    isAbsentOr(isString, value.command) &&
    isAbsentOr(isNumber, value.timeout)
  );
}
