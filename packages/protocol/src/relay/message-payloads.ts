import type { Open } from "../session/values.js";
import type { EntityType, PayloadKind, SpeakOnTrigger } from "./message-types.js";

/** SEND, and unchanged in DELIVER (relay spec §1.3). */
export interface SendPayload {
  kind: Open<PayloadKind>;
  body: string;
  data?: Record<string, unknown>;
  thread?: string;
}

/** CHANNEL_JOIN: a request, and as a notification to the members (relay spec §1.4, §5.5). */
export interface ChannelJoinPayload {
  channel: string;
  displayName?: string;
  avatarUrl?: string;
  /** Adds this name instead of the sender's. */
  member?: string;
}

/** CHANNEL_LEAVE: a request, and as a notification to the members (relay spec §1.4, §5.5). */
export interface ChannelLeavePayload {
  channel: string;
  reason?: string;
  /** Removes this name instead of the sender's. */
  member?: string;
}

/** A file beside a channel message; `data` is base64 (relay spec §1.4). */
export interface ChannelAttachment {
  id: string;
  filename: string;
  mimeType: string;
  size?: number;
  url?: string;
  data?: string;
}

/** CHANNEL_MESSAGE, in both directions (relay spec §1.4). */
export interface ChannelMessagePayload {
  channel: string;
  body: string;
  thread?: string;
  mentions?: string[];
  attachments?: ChannelAttachment[];
  data?: Record<string, unknown>;
}

/** Somebody in a channel (relay spec §1.4). */
export interface ChannelMember {
  name: string;
  entityType: EntityType;
  displayName?: string;
  avatarUrl?: string;
  status?: Open<"online" | "away" | "offline">;
}

/** CHANNEL_INFO: declared, never sent by the original (relay spec §1.4). */
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

/** CHANNEL_MEMBERS: declared, never sent by the original (relay spec §1.4). */
export interface ChannelMembersPayload {
  channel: string;
  members: ChannelMember[];
}

/** CHANNEL_TYPING: declared, never sent by the original (relay spec §1.4). */
export interface ChannelTypingPayload {
  channel: string;
  isTyping: boolean;
}

/** SHADOW_BIND: copies of an agent's messages wanted (relay spec §1.4, §5.11). */
export interface ShadowBindPayload {
  primaryAgent: string;
  /** Default `["EXPLICIT_ASK"]`. */
  speakOn?: Open<SpeakOnTrigger>[];
  /** Copies of what the primary receives; default true. */
  receiveIncoming?: boolean;
  /** Copies of what the primary sends; default true. */
  receiveOutgoing?: boolean;
}

/** SHADOW_UNBIND: no effect unless it names the present primary (relay spec §1.4). */
export interface ShadowUnbindPayload {
  primaryAgent: string;
}
