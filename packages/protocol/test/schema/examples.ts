import type {
  SessionMessage,
  SessionNotificationFields,
  SessionNotificationType,
  TokenUsage,
} from "../../src/index.js";

export const usage: TokenUsage = {
  inputTokens: 10,
  outputTokens: 2,
  cacheCreationTokens: 0,
  cacheReadTokens: 0,
  thinkingTokens: 0,
  factoryCredits: 1,
};

/** A message with every kind of block, one of them of a newer peer. */
export const message: SessionMessage = {
  id: "m-1",
  role: "assistant",
  content: [
    { type: "text", text: "Hello" },
    { type: "tool_use", id: "t-1", name: "Read", input: { path: "a" }, thoughtSignature: "s" },
    { type: "tool_result", toolUseId: "t-1", content: [{ type: "text", text: "a" }], isError: false },
    { type: "tool_result", toolUseId: "t-2", content: "plain" },
    { type: "thinking", thinking: "hm", signature: "s", signatureProvider: "p", durationMs: 1 },
    { type: "redacted_thinking", data: "x" },
    { type: "image", source: { type: "base64" } },
    { type: "document", source: 1 },
    { type: "hologram", depth: 3 } as never,
  ],
  createdAt: 1,
  updatedAt: 2,
  parentId: "root",
  visibility: "both",
  isError: false,
};

const tool = { toolUseId: "t-1", toolName: "Execute" };

/** One notification of each known type, with every optional field. */
export const NOTIFICATIONS: { [Type in SessionNotificationType]: { type: Type } & SessionNotificationFields[Type] } = {
  droid_working_state_changed: { type: "droid_working_state_changed", newState: "idle" },
  create_message: { type: "create_message", message, parentId: "p", requestId: "r" },
  assistant_text_delta: { type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta: "Hel" },
  assistant_text_complete: { type: "assistant_text_complete", messageId: "m", blockIndex: 0 },
  assistant_message_retracted: { type: "assistant_message_retracted", messageId: "m" },
  thinking_text_delta: { type: "thinking_text_delta", messageId: "m", blockIndex: 0, textDelta: "I " },
  thinking_text_complete: { type: "thinking_text_complete", messageId: "m", blockIndex: 0, durationMs: 3 },
  tool_call: {
    type: "tool_call",
    toolUse: { type: "tool_use", id: "t-1", name: "Read", input: {}, thoughtSignature: "s" },
  },
  tool_result: { type: "tool_result", messageId: "m", toolUseId: "t-1", content: ["any"], isError: true, id: "x" },
  tool_progress_update: {
    type: "tool_progress_update",
    ...tool,
    update: { type: "status", text: "", status: "s", details: "d", timestamp: 1 },
  },
  tool_execution_heartbeat: { type: "tool_execution_heartbeat", ...tool },
  tool_execution_phase_changed: { type: "tool_execution_phase_changed", ...tool, phase: "queued" },
  structured_output: {
    type: "structured_output",
    messageId: "m",
    structuredOutput: { answer: 42 },
    structuredOutputError: { code: "invalid_schema", message: "no" },
  },
  error: {
    type: "error",
    message: "401",
    errorType: "Error",
    timestamp: "2026-11-22T00:11:07.536Z",
    error: { name: "Error", message: "401" },
  },
  session_notice: {
    type: "session_notice",
    code: "STORAGE_FULL",
    message: "The disk is full.",
    timestamp: 1,
  },
  llm_retry: { type: "llm_retry", attempt: 1, reason: "500" },
  permission_resolved: {
    type: "permission_resolved",
    requestId: "p-1",
    toolUseIds: ["t-1"],
    selectedOption: "proceed_once",
  },
  settings_updated: { type: "settings_updated", requestId: "r", settings: { modelId: "m" } },
  session_title_updated: {
    type: "session_title_updated",
    requestId: "r",
    title: "T",
    updateType: "first_user_message",
  },
  session_token_usage_changed: { type: "session_token_usage_changed", sessionId: "s", tokenUsage: usage },
  session_compacted: { type: "session_compacted", summaryId: "s", removedCount: 3, visibleBoundaryMessageId: null },
  session_working_directory_changed: { type: "session_working_directory_changed", cwd: "/repo" },
  queued_messages_discarded: { type: "queued_messages_discarded", text: "t", requestId: "r" },
  loop_state_changed: { type: "loop_state_changed", loopState: { loopId: "l" } },
  agent_turn_completed: {
    type: "agent_turn_completed",
    reason: "completed",
    turnId: "m",
    tokenUsage: usage,
    durationMs: 5,
    message: "done",
    exitCode: null,
    signal: "SIGKILL",
  },
  mcp_status_changed: {
    type: "mcp_status_changed",
    servers: [{ name: "github", status: "connected" }],
    summary: { total: 1, connected: 1, connecting: 0, failed: 0, disabled: 0 },
  },
  mcp_auth_required: { type: "mcp_auth_required", serverName: "g", authUrl: "u", message: "m", state: "s" },
  mcp_auth_completed: { type: "mcp_auth_completed", serverName: "g", outcome: "success", message: "m" },
  hook_execution_started: {
    type: "hook_execution_started",
    hookId: "h",
    hookEventName: "Stop",
    hookMatcher: "*",
    hookCommands: [{ command: "true", timeout: 5 }],
    hookToolCallId: "t-1",
  },
  hook_execution_completed: {
    type: "hook_execution_completed",
    hookId: "h",
    hookEventName: "Stop",
    hookMatcher: "*",
    hookToolCallId: "t-1",
    hookStatus: "completed",
    hookResults: [{ exitCode: 0, stdout: "", stderr: "", command: "true", timeout: 5 }],
  },
  mission_state_changed: { type: "mission_state_changed", state: "running", updatedAt: 1 },
  mission_features_changed: { type: "mission_features_changed", features: [{}] },
  mission_progress_entry: { type: "mission_progress_entry", progressLog: [{}] },
  mission_heartbeat: { type: "mission_heartbeat", timestamp: "t" },
  mission_worker_started: { type: "mission_worker_started", workerSessionId: "w" },
  mission_worker_completed: { type: "mission_worker_completed", workerSessionId: "w", exitCode: 0 },
  session_inactivity: { type: "session_inactivity", message: "m", timestamp: 1, timeoutSeconds: 900 },
  session_process_exited: { type: "session_process_exited", message: "m", timestamp: 1 },
  session_closed: { type: "session_closed", timestamp: 1 },
  plan_changed: { type: "plan_changed", entries: [{ content: "c", status: "pending", priority: "high" }] },
  commands_changed: { type: "commands_changed", commands: [{ name: "n", description: "d", hint: "h" }] },
  request_opened: { type: "request_opened", requestId: "r", method: "ask_user", params: { questions: [] } },
  agent_state_changed: { type: "agent_state_changed", state: "starting" },
  context_usage_changed: { type: "context_usage_changed", usedTokens: 1, contextTokens: 2, cost: {} },
  tool_call_details: {
    type: "tool_call_details",
    toolUseId: "t",
    title: "t",
    kind: "edit",
    locations: [],
    content: [],
    rawOutput: null,
  },
  agent_update: { type: "agent_update", update: {} },
  session_unsubscribed: { type: "session_unsubscribed", message: "m", code: "RESUME_TOO_OLD" },
  child_session_available: { type: "child_session_available", childSessionId: "c", timestamp: 1 },
  "daemon.terminal_data": { type: "daemon.terminal_data", terminalId: "t", data: "x" },
  "daemon.terminal_exit": { type: "daemon.terminal_exit", terminalId: "t", exitCode: 0, signal: 9 },
  ask_user_resolved: { type: "ask_user_resolved", requestId: "r", toolCallId: "t", cancelled: false },
};

const base = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", factoryProtocolVersion: "1.51.0" };
const _meta = { epoch: 1, seq: 2, traceparent: "00-1", tracestate: "a=b" };

/** One envelope of each shape, with every optional field. */
export const ENVELOPES = {
  request: { ...base, _meta, type: "request", id: "r-1", method: "daemon.x", params: { sessionId: "s" } },
  success: { ...base, _meta, type: "response", id: "r-1", result: { a: 1 } },
  failure: { ...base, _meta, type: "response", id: "r-1", error: { code: -32004, message: "no", data: { a: 1 } } },
  nullFailure: { ...base, type: "response", id: null, error: { code: -32700, message: "no" } },
  notification: { ...base, _meta, type: "notification", method: "daemon.session_notification", params: {} },
};
