// Facts of the wire: docs/wire/session.md#enumerations, docs/wire/session.md#messages-and-token-usage,
// docs/wire/session.md#start-of-a-session

/**
 * Values that travel in params, results and notifications.
 *
 * Every enum is open on receive: a newer peer may send values this list lacks, so fields are typed as {@link Open}.
 */

/** One of the known values, or a string that a newer peer made up. */
export type Open<Known extends string> = Known | (string & Record<never, never>);

/** How the agent works with its user; `agi` is deprecated. */
export type InteractionMode = "auto" | "spec" | "agi" | "mission";
/** What the agent may do without asking. */
export type AutonomyLevel = "off" | "low" | "medium" | "high";
/** How much the model thinks. */
export type ReasoningEffort = "none" | "dynamic" | "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
/** Where a setting comes from. */
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
 * What a session waits for, in words for people:
 *
 * `idle` no turn runs · `waiting-model` the model thinks or writes · `waiting-tool` a tool runs · `waiting-you` a permission or
 * an answer is asked for · `waiting-agent` a message waits for the start of the agent (in `list_opened_sessions` only) · `stalled` it works, and has said nothing for too long · `gone` its agent, or the way to it, is not there.
 */
export type SessionActivity =
  | "idle"
  | "waiting-model"
  | "waiting-tool"
  | "waiting-you"
  | "waiting-agent"
  | "stalled"
  | "gone";

/** Where a session comes from; `platform` is open, the other keys depend on it. */
export interface SessionSource {
  platform: Open<"slack" | "web" | "api" | "sessions_api" | "linear" | "automation">;
  [key: string]: unknown;
}

/** A label of a session, for whoever lists them. */
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
/** What a tool gave back. */
export interface ToolResultBlock {
  type: "tool_result";
  toolUseId: string;
  content?: string | MessageBlock[];
  isError?: boolean;
}
/** One block of a message; unknown kinds pass through. */
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

/** An MCP server and how it is. */
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

/** What became of a message (docs/protocol.md, "Receipts"). `unknown`: it never came. The last five are final. */
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

/** Place of an entry in a session's journal. Compare within one session only; `epoch` first, then `seq`. */
export interface Position {
  epoch: number;
  seq: number;
}
