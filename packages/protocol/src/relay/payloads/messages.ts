import type { Open } from "../../session/index.js";
import { flag, type JsonBody, json, listOf, number, object, optional, record, text } from "../description/index.js";
import type { EntityType, PayloadKind, SpeakOnTrigger } from "../message-types.js";

/** SEND: a message. The DELIVER carries the same payload, unchanged. */
export interface SendPayload {
  kind: Open<PayloadKind>;
  /** Mostly a text. See `bodyText`. */
  body: JsonBody;
  data?: Record<string, unknown>;
  thread?: string;
}

const send = object<SendPayload>({ kind: text, body: json, data: optional(record), thread: optional(text) });

/** CHANNEL_JOIN: a request, and as a notification to the members. */
export interface ChannelJoinPayload {
  channel: string;
  displayName?: string;
  avatarUrl?: string;
  /** Adds this name instead of the sender's. */
  member?: string;
}

const channelJoin = object<ChannelJoinPayload>({
  channel: text,
  displayName: optional(text),
  avatarUrl: optional(text),
  member: optional(text),
});

/** CHANNEL_LEAVE: a request, and as a notification to the members. */
export interface ChannelLeavePayload {
  channel: string;
  reason?: string;
  /** Removes this name instead of the sender's. */
  member?: string;
}

const channelLeave = object<ChannelLeavePayload>({ channel: text, reason: optional(text), member: optional(text) });

/** A file beside a channel message; `data` is base64. */
export interface ChannelAttachment {
  id: string;
  filename: string;
  mimeType: string;
  size?: number;
  url?: string;
  data?: string;
}

const attachment = object<ChannelAttachment>({
  id: text,
  filename: text,
  mimeType: text,
  size: optional(number),
  url: optional(text),
  data: optional(text),
});

/** CHANNEL_MESSAGE: a post to a channel, and its copy to each member. */
export interface ChannelMessagePayload {
  channel: string;
  /** Mostly a text. See `bodyText`. */
  body: JsonBody;
  thread?: string;
  mentions?: string[];
  attachments?: ChannelAttachment[];
  data?: Record<string, unknown>;
}

const channelMessage = object<ChannelMessagePayload>({
  channel: text,
  body: json,
  thread: optional(text),
  mentions: optional(listOf(text)),
  attachments: optional(listOf(attachment)),
  data: optional(record),
});

/** Somebody in a channel. */
export interface ChannelMember {
  name: string;
  entityType: EntityType;
  displayName?: string;
  avatarUrl?: string;
  status?: Open<"online" | "away" | "offline">;
}

const member = object<ChannelMember>({
  name: text,
  entityType: text,
  displayName: optional(text),
  avatarUrl: optional(text),
  status: optional(text),
});

/** CHANNEL_INFO: declared, never sent by the original. */
export interface ChannelInfoPayload {
  channel: string;
  name: string;
  description?: string;
  topic?: string;
  members: ChannelMember[];
  /** ISO date. */
  createdAt: string;
  isPrivate?: boolean;
}

const channelInfo = object<ChannelInfoPayload>({
  channel: text,
  name: text,
  description: optional(text),
  topic: optional(text),
  members: listOf(member),
  createdAt: text,
  isPrivate: optional(flag),
});

/** CHANNEL_MEMBERS: declared, never sent by the original. */
export interface ChannelMembersPayload {
  channel: string;
  members: ChannelMember[];
}

const channelMembers = object<ChannelMembersPayload>({ channel: text, members: listOf(member) });

/** CHANNEL_TYPING: declared, never sent by the original. */
export interface ChannelTypingPayload {
  channel: string;
  isTyping: boolean;
}

const channelTyping = object<ChannelTypingPayload>({ channel: text, isTyping: flag });

/** SHADOW_BIND: requests copies of an agent's messages. */
export interface ShadowBindPayload {
  primaryAgent: string;
  /** Default `["EXPLICIT_ASK"]`. */
  speakOn?: Open<SpeakOnTrigger>[];
  /** Copies of what the primary receives; default true. */
  receiveIncoming?: boolean;
  /** Copies of what the primary sends; default true. */
  receiveOutgoing?: boolean;
}

const shadowBind = object<ShadowBindPayload>({
  primaryAgent: text,
  speakOn: optional(listOf(text)),
  receiveIncoming: optional(flag),
  receiveOutgoing: optional(flag),
});

/** SHADOW_UNBIND: no effect unless it names the present primary. */
export interface ShadowUnbindPayload {
  primaryAgent: string;
}

const shadowUnbind = object<ShadowUnbindPayload>({ primaryAgent: text });

/**
 * Descriptions of the types that carry messages, and of those that select their recipients (https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#messages,
 * https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#channels-and-shadows).
 */
export const MESSAGE_PAYLOADS = {
  SEND: send,
  DELIVER: send,
  SUBSCRIBE: record,
  UNSUBSCRIBE: record,
  SHADOW_BIND: shadowBind,
  SHADOW_UNBIND: shadowUnbind,
  CHANNEL_JOIN: channelJoin,
  CHANNEL_LEAVE: channelLeave,
  CHANNEL_MESSAGE: channelMessage,
  CHANNEL_INFO: channelInfo,
  CHANNEL_MEMBERS: channelMembers,
  CHANNEL_TYPING: channelTyping,
  PROPOSAL_CREATE: record,
  VOTE: record,
} as const;
