import type { Open } from "../session/values.js";
import type { EntityType, PayloadKind, SpeakOnTrigger } from "./message-types.js";

// Facts of the wire: docs/wire/relay.md#messages, docs/wire/relay.md#channels-and-shadows

/** SEND: a message; unchanged in the DELIVER made of it. */
export interface SendPayload {
  kind: Open<PayloadKind>;
  body: string;
  data?: Record<string, unknown>;
  thread?: string;
}

/** CHANNEL_JOIN: a request, and as a notification to the members. */
export interface ChannelJoinPayload {
  channel: string;
  displayName?: string;
  avatarUrl?: string;
  /** Adds this name instead of the sender's. */
  member?: string;
}

/** CHANNEL_LEAVE: a request, and as a notification to the members. */
export interface ChannelLeavePayload {
  channel: string;
  reason?: string;
  /** Removes this name instead of the sender's. */
  member?: string;
}

/** A file beside a channel message; `data` is base64. */
export interface ChannelAttachment {
  id: string;
  filename: string;
  mimeType: string;
  size?: number;
  url?: string;
  data?: string;
}

/** CHANNEL_MESSAGE: a post to a channel, and its copy to each member. */
export interface ChannelMessagePayload {
  channel: string;
  body: string;
  thread?: string;
  mentions?: string[];
  attachments?: ChannelAttachment[];
  data?: Record<string, unknown>;
}

/** Somebody in a channel. */
export interface ChannelMember {
  name: string;
  entityType: EntityType;
  displayName?: string;
  avatarUrl?: string;
  status?: Open<"online" | "away" | "offline">;
}

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

/** CHANNEL_MEMBERS: declared, never sent by the original. */
export interface ChannelMembersPayload {
  channel: string;
  members: ChannelMember[];
}

/** CHANNEL_TYPING: declared, never sent by the original. */
export interface ChannelTypingPayload {
  channel: string;
  isTyping: boolean;
}

/** SHADOW_BIND: copies of an agent's messages wanted. */
export interface ShadowBindPayload {
  primaryAgent: string;
  /** Default `["EXPLICIT_ASK"]`. */
  speakOn?: Open<SpeakOnTrigger>[];
  /** Copies of what the primary receives; default true. */
  receiveIncoming?: boolean;
  /** Copies of what the primary sends; default true. */
  receiveOutgoing?: boolean;
}

/** SHADOW_UNBIND: no effect unless it names the present primary. */
export interface ShadowUnbindPayload {
  primaryAgent: string;
}
