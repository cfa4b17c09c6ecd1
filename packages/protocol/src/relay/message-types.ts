import type { Open } from "../session/index.js";

/**
 * Every message type of the relay wire.
 *
 * Peers may send other types. They are ignored, and the connection stays open.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#message-types
 */
export const MESSAGE_TYPES = [
  "HELLO",
  "WELCOME",
  "SEND",
  "DELIVER",
  "ACK",
  "NACK",
  "PING",
  "PONG",
  "ERROR",
  "BUSY",
  "RESUME",
  "BYE",
  "STATE",
  "SYNC",
  "SYNC_SNAPSHOT",
  "SYNC_DELTA",
  "SUBSCRIBE",
  "UNSUBSCRIBE",
  "SHADOW_BIND",
  "SHADOW_UNBIND",
  "LOG",
  "CHANNEL_JOIN",
  "CHANNEL_LEAVE",
  "CHANNEL_MESSAGE",
  "CHANNEL_INFO",
  "CHANNEL_MEMBERS",
  "CHANNEL_TYPING",
  "SPAWN",
  "SPAWN_RESULT",
  "RELEASE",
  "RELEASE_RESULT",
  "SEND_INPUT",
  "SEND_INPUT_RESULT",
  "SET_MODEL",
  "SET_MODEL_RESULT",
  "LIST_WORKERS",
  "LIST_WORKERS_RESULT",
  "AGENT_READY",
  "STATUS",
  "STATUS_RESPONSE",
  "INBOX",
  "INBOX_RESPONSE",
  "LIST_AGENTS",
  "LIST_AGENTS_RESPONSE",
  "LIST_CONNECTED_AGENTS",
  "LIST_CONNECTED_AGENTS_RESPONSE",
  "REMOVE_AGENT",
  "REMOVE_AGENT_RESPONSE",
  "HEALTH",
  "HEALTH_RESPONSE",
  "METRICS",
  "METRICS_RESPONSE",
  "MESSAGES_QUERY",
  "MESSAGES_RESPONSE",
  "PROPOSAL_CREATE",
  "VOTE",
  // Ours; sent only to clients that request them.
  "RECEIPT",
  "PRESENCE",
  "RESEND",
  "RESEND_RESPONSE",
] as const;

/** One of {@link MESSAGE_TYPES}. */
export type MessageType = (typeof MESSAGE_TYPES)[number];

const KNOWN_TYPES: ReadonlySet<string> = new Set(MESSAGE_TYPES);

/** Whether `type` is in {@link MESSAGE_TYPES}. */
export function isMessageType(type: string): type is MessageType {
  return KNOWN_TYPES.has(type);
}

/**
 * Codes of an ERROR envelope.
 *
 * The original only ever sends `BAD_REQUEST`, `INTERNAL`, `RESUME_TOO_OLD` and `DUPLICATE_CONNECTION`; ours sends them all.
 */
export const ErrorCode = {
  /** The frame, or the requested action, is not allowed. */
  BAD_REQUEST: "BAD_REQUEST",
  /** The peer did not prove who it is. */
  UNAUTHORIZED: "UNAUTHORIZED",
  /** The target is unknown. */
  NOT_FOUND: "NOT_FOUND",
  /** The daemon failed. */
  INTERNAL: "INTERNAL",
  /** The resume token or its position is no longer stored. A WELCOME with a new session follows. */
  RESUME_TOO_OLD: "RESUME_TOO_OLD",
  /** Another connection took the name; the receiver must not reconnect. */
  DUPLICATE_CONNECTION: "DUPLICATE_CONNECTION",
  /** No answer in time. */
  TIMEOUT: "TIMEOUT",
} as const;

/** One of the codes in {@link ErrorCode}. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What kind of content a message carries. */
export type PayloadKind = "message" | "action" | "state" | "thinking";

/** When a shadow sends a message of its own. */
export type SpeakOnTrigger = "SESSION_END" | "CODE_WRITTEN" | "REVIEW_REQUEST" | "EXPLICIT_ASK" | "ALL_MESSAGES";

/** What connects under a name: an agent has one connection, a user may have many. */
export type EntityType = Open<"agent" | "user">;
