// Facts of the wire: docs/wire/session.md#enumerations, docs/wire/session.md#messages-and-token-usage,
// docs/wire/session.md#start-of-a-session

/**
 * Values that travel in params, results and notifications.
 *
 * Every enum is open on receive, because a newer peer may send other values. So fields are typed as {@link Open}.
 */

/** One of the known values, or any other string from a newer peer. */
export type Open<Known extends string> = Known | (string & Record<never, never>);

/** Mode of work of an agent; `agi` is deprecated. */
export type InteractionMode = "auto" | "spec" | "agi" | "mission";
/** What the agent may do without a permission request. */
export type AutonomyLevel = "off" | "low" | "medium" | "high";
/** How much the model thinks. */
export type ReasoningEffort = "none" | "dynamic" | "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
/** Origin of a setting. */
export type SettingsLevel = "org" | "runtime" | "user" | "project" | "folder" | "dynamic" | "builtin";

/** What the agent is doing: `DroidWorkingState` in the original. */
export type WorkingState =
  | "idle"
  | "thinking"
  | "streaming_assistant_message"
  | "waiting_for_tool_confirmation"
  | "executing_tool"
  | "compacting_conversation";

/**
 * What a session waits for, for people:
 *
 * `idle` no turn runs · `waiting-model` the model thinks or writes · `waiting-tool` a tool runs · `waiting-you` a request to the
 * user is pending · `stalled` at work without an event for too long · `gone` its agent or its daemon cannot be reached.
 */
export type SessionActivity =
  | "idle"
  | "waiting-model"
  | "waiting-tool"
  | "waiting-you"
  | "waiting-agent"
  | "stalled"
  | "gone";

/** Origin of a session. `platform` is open; the other keys depend on it. */
export interface SessionSource {
  platform: Open<"slack" | "web" | "api" | "sessions_api" | "linear" | "automation">;
  [key: string]: unknown;
}

/** A label of a session, for lists. */
export interface SessionTag {
  name: string;
  metadata?: Record<string, string>;
}

/** Tokens spent. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  cacheCreationTokens: number;
  cacheReadTokens: number;
  thinkingTokens: number;
  factoryCredits?: number;
}

/** Image input. `data` is base64. */
export interface ImageSource {
  type: "base64";
  data: string;
  mediaType: Open<"image/jpeg" | "image/png" | "image/gif" | "image/webp">;
}

/** File input: a PDF as base64, or plain text. */
export type FileSource =
  | { type: "base64"; mediaType: "application/pdf"; data: string; parsedData?: string; name?: string; path?: string }
  | { type: "text"; mediaType: "text/plain"; data: string; name?: string; mime?: string };

/** Text of a message. */
export interface TextBlock {
  type: "text";
  text: string;
}
/** The model wants to use a tool. `input` is `{}` until its arguments have arrived. */
export interface ToolUseBlock {
  type: "tool_use";
  id: string;
  name: string;
  input: unknown;
  thoughtSignature?: string;
}
/** Result of a tool. */
export interface ToolResultBlock {
  type: "tool_result";
  toolUseId: string;
  content?: string | MessageBlock[];
  isError?: boolean;
}
/** One block of a message; unknown kinds are forwarded. */
export type MessageBlock =
  | TextBlock
  | ToolUseBlock
  | ToolResultBlock
  | { type: "image"; source: unknown }
  | { type: "document"; source: unknown }
  | { type: "thinking"; thinking: string; signature?: string; signatureProvider?: string; durationMs?: number }
  | { type: "redacted_thinking"; data: string };

/** One message of the conversation. Times in ms since the epoch. */
export interface SessionMessage {
  id: string;
  role: Open<"user" | "assistant" | "tool" | "system">;
  content: MessageBlock[];
  createdAt: number;
  updatedAt: number;
  parentId?: string;
  visibility?: Open<"both" | "llm_only" | "user_only">;
  isError?: boolean;
  [key: string]: unknown;
}

/** JSON Schema the final answer must follow. */
export interface OutputFormat {
  type: "json_schema";
  schema: Record<string, unknown>;
}

/** MCP server to start with a session. */
export type McpServerConfig =
  | { name: string; type?: "stdio"; command: string; args: string[]; env?: Record<string, string> }
  | { name: string; type: "http" | "sse"; url: string; headers?: { name: string; value: string }[]; oauth?: false };

/** An MCP server and its state. */
export interface McpServerState {
  name: string;
  status: Open<"connecting" | "connected" | "disconnected" | "failed" | "disabled">;
  [key: string]: unknown;
}
/** How many MCP servers are in which state. */
export interface McpSummary {
  total: number;
  connected: number;
  connecting: number;
  failed: number;
  disabled?: number;
}

/** Settings of a session as the daemon reports them. */
export interface SessionSettings {
  modelId: string;
  reasoningEffort: Open<ReasoningEffort>;
  interactionMode?: Open<InteractionMode>;
  autonomyLevel?: Open<AutonomyLevel>;
  specModeModelId?: string | null;
  specModeReasoningEffort?: Open<ReasoningEffort> | null;
  enabledToolIds?: string[];
  disabledToolIds?: string[];
  tags?: SessionTag[];
  [key: string]: unknown;
}

/** Model the agent can use. */
export interface AvailableModel {
  id: string;
  displayName: string;
  [key: string]: unknown;
}

/** State of a message (docs/protocol.md, "Receipts"). `unknown`: the daemon never received it. The last five are final. */
export type MessageState =
  | "unknown"
  | "accepted"
  | "handed"
  | "running"
  | "completed"
  | "interrupted"
  | "failed"
  | "agent_exited"
  | "outcome_unknown";

/** Position of an entry in a session's journal. Compare within one session only; `epoch` first, then `seq`. */
export interface Position {
  epoch: number;
  seq: number;
}
