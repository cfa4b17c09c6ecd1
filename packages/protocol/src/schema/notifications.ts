import * as z from "zod/mini";
import type {
  SessionNotification,
  SessionNotificationFields,
  SessionNotificationParams,
  SessionNotificationsParams,
  SessionNotificationType,
} from "../session/index.js";
import {
  mcpServerStateSchema,
  mcpSummarySchema,
  recordSchema,
  sessionMessageSchema,
  tokenUsageSchema,
  toolUseSchema,
} from "./values.js";

const text = z.string();
const optionalText = z.exactOptional(text);
const number = z.number();
const optionalNumber = z.exactOptional(number);

/** A notification of one type, with the fields that type promises; extra keys pass. */
function notification<Type extends SessionNotificationType, Shape extends z.core.$ZodShape>(type: Type, shape: Shape) {
  return z.looseObject({ type: z.literal(type), ...shape });
}

const textDelta = { messageId: text, blockIndex: number, textDelta: text };
const toolNamed = { toolUseId: text, toolName: text };

const turnAndMessageSchemas = {
  droid_working_state_changed: notification("droid_working_state_changed", { newState: text }),
  create_message: notification("create_message", {
    message: sessionMessageSchema,
    parentId: optionalText,
    requestId: optionalText,
  }),
  assistant_text_delta: notification("assistant_text_delta", textDelta),
  assistant_text_complete: notification("assistant_text_complete", { messageId: text, blockIndex: number }),
  assistant_message_retracted: notification("assistant_message_retracted", { messageId: text }),
  thinking_text_delta: notification("thinking_text_delta", textDelta),
  thinking_text_complete: notification("thinking_text_complete", {
    messageId: text,
    blockIndex: number,
    durationMs: optionalNumber,
  }),
  structured_output: notification("structured_output", {
    messageId: text,
    structuredOutput: z.nullable(recordSchema),
    structuredOutputError: z.exactOptional(z.looseObject({ code: text, message: text })),
  }),
  error: notification("error", {
    message: text,
    errorType: text,
    timestamp: text,
    error: z.exactOptional(z.looseObject({ name: text, message: text })),
  }),
  session_notice: notification("session_notice", { code: text, message: text, timestamp: number }),
  llm_retry: notification("llm_retry", { attempt: number, reason: text }),
  queued_messages_discarded: notification("queued_messages_discarded", { text, requestId: optionalText }),
  agent_turn_completed: notification("agent_turn_completed", {
    reason: text,
    turnId: text,
    tokenUsage: z.exactOptional(tokenUsageSchema),
    durationMs: optionalNumber,
    message: optionalText,
    code: optionalText,
    exitCode: z.exactOptional(z.nullable(number)),
    signal: z.exactOptional(z.nullable(text)),
  }),
};

const toolSchemas = {
  tool_call: notification("tool_call", { toolUse: toolUseSchema }),
  tool_result: notification("tool_result", {
    messageId: text,
    toolUseId: text,
    content: z.exactOptional(z.unknown()),
    isError: z.exactOptional(z.boolean()),
    id: optionalText,
  }),
  tool_progress_update: notification("tool_progress_update", {
    ...toolNamed,
    update: z.looseObject({ type: text, text: optionalText, status: optionalText, details: optionalText }),
  }),
  tool_execution_heartbeat: notification("tool_execution_heartbeat", toolNamed),
  tool_execution_phase_changed: notification("tool_execution_phase_changed", { ...toolNamed, phase: text }),
  permission_resolved: notification("permission_resolved", {
    requestId: text,
    toolUseIds: z.array(text),
    selectedOption: text,
  }),
  ask_user_resolved: notification("ask_user_resolved", {
    requestId: text,
    toolCallId: text,
    cancelled: z.boolean(),
  }),
  hook_execution_started: notification("hook_execution_started", {
    hookId: text,
    hookEventName: text,
    hookMatcher: optionalText,
    hookCommands: z.array(z.looseObject({ command: text, timeout: optionalNumber })),
    hookToolCallId: optionalText,
  }),
  hook_execution_completed: notification("hook_execution_completed", {
    hookId: text,
    hookEventName: optionalText,
    hookMatcher: optionalText,
    hookToolCallId: optionalText,
    hookStatus: text,
    hookResults: z.exactOptional(
      z.array(
        z.looseObject({ exitCode: number, stdout: text, stderr: text, command: optionalText, timeout: optionalNumber }),
      ),
    ),
  }),
  mcp_status_changed: notification("mcp_status_changed", {
    servers: z.array(mcpServerStateSchema),
    summary: mcpSummarySchema,
  }),
  mcp_auth_required: notification("mcp_auth_required", { serverName: text, authUrl: text, message: text, state: text }),
  mcp_auth_completed: notification("mcp_auth_completed", { serverName: text, outcome: text, message: text }),
};

const sessionSchemas = {
  settings_updated: notification("settings_updated", { requestId: optionalText, settings: recordSchema }),
  session_title_updated: notification("session_title_updated", {
    requestId: optionalText,
    title: text,
    updateType: optionalText,
  }),
  session_token_usage_changed: notification("session_token_usage_changed", {
    sessionId: text,
    tokenUsage: tokenUsageSchema,
  }),
  session_compacted: notification("session_compacted", {
    summaryId: text,
    removedCount: number,
    visibleBoundaryMessageId: z.nullable(text),
  }),
  session_working_directory_changed: notification("session_working_directory_changed", { cwd: text }),
  loop_state_changed: notification("loop_state_changed", { loopState: recordSchema }),
  mission_state_changed: notification("mission_state_changed", {
    state: text,
    updatedAt: z.exactOptional(z.unknown()),
  }),
  mission_features_changed: notification("mission_features_changed", { features: z.array(z.unknown()) }),
  mission_progress_entry: notification("mission_progress_entry", { progressLog: z.array(z.unknown()) }),
  mission_heartbeat: notification("mission_heartbeat", { timestamp: text }),
  mission_worker_started: notification("mission_worker_started", { workerSessionId: text }),
  mission_worker_completed: notification("mission_worker_completed", { workerSessionId: text, exitCode: number }),
  session_inactivity: notification("session_inactivity", { message: text, timestamp: number, timeoutSeconds: number }),
  session_process_exited: notification("session_process_exited", { message: text, timestamp: number }),
  plan_changed: notification("plan_changed", {
    entries: z.array(z.looseObject({ content: text, status: text, priority: optionalText })),
  }),
  commands_changed: notification("commands_changed", {
    commands: z.array(z.looseObject({ name: text, description: text, hint: optionalText })),
  }),
  context_usage_changed: notification("context_usage_changed", {
    usedTokens: number,
    contextTokens: number,
    cost: z.exactOptional(recordSchema),
  }),
  tool_call_details: notification("tool_call_details", {
    toolUseId: text,
    title: optionalText,
    kind: optionalText,
    locations: z.exactOptional(z.array(z.unknown())),
    content: z.exactOptional(z.array(z.unknown())),
    rawOutput: z.exactOptional(z.unknown()),
  }),
  request_opened: notification("request_opened", { requestId: text, method: text, params: recordSchema }),
  agent_update: notification("agent_update", { update: recordSchema }),
  agent_state_changed: notification("agent_state_changed", { state: text }),
  session_closed: notification("session_closed", {
    timestamp: number,
    reason: z.exactOptional(z.unknown()),
    machineId: z.exactOptional(z.unknown()),
  }),
  session_unsubscribed: notification("session_unsubscribed", { message: text }),
  child_session_available: notification("child_session_available", { childSessionId: text, timestamp: number }),
  "daemon.terminal_data": notification("daemon.terminal_data", { terminalId: text, data: text }),
  "daemon.terminal_exit": notification("daemon.terminal_exit", {
    terminalId: text,
    exitCode: number,
    signal: z.exactOptional(z.unknown()),
  }),
};

/** The schema of each known notification, by its `type`: agrees with `isKnownNotification`. */
export const NOTIFICATION_SCHEMAS: {
  readonly [Type in SessionNotificationType]: z.ZodMiniType<{ type: Type } & SessionNotificationFields[Type]>;
} = { ...turnAndMessageSchemas, ...toolSchemas, ...sessionSchemas };

/** Schema of {@link SessionNotification}. Unknown types pass unchanged. */
export const sessionNotificationSchema: z.ZodMiniType<SessionNotification> = z.looseObject({ type: text });

/** Schema of {@link SessionNotificationParams}: agrees with `isSessionNotificationParams`. */
export const sessionNotificationParamsSchema: z.ZodMiniType<SessionNotificationParams> = z.looseObject({
  sessionId: optionalText,
  notification: sessionNotificationSchema,
});

/** Schema of {@link SessionNotificationsParams}: agrees with `isSessionNotificationsParams`. */
export const sessionNotificationsParamsSchema: z.ZodMiniType<SessionNotificationsParams> = z.looseObject({
  sessionId: text,
  notifications: z.array(sessionNotificationSchema).check(z.minLength(1)),
});
