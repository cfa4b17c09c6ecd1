import { isRecord } from "../session/guards.js";
import type {
  ChannelAttachment,
  ChannelInfoPayload,
  ChannelJoinPayload,
  ChannelLeavePayload,
  ChannelMember,
  ChannelMembersPayload,
  ChannelMessagePayload,
  ChannelTypingPayload,
  SendPayload,
  ShadowBindPayload,
  ShadowUnbindPayload,
} from "./message-payloads.js";
import { isFiniteNumber, isFlag, isText, listOf, optional, shape } from "./shape.js";

/**
 * Whether `value` is the payload of a SEND or DELIVER (docs/wire/relay.md#messages). Written out: this is the hot path.
 */
export function isSendPayload(value: unknown): value is SendPayload {
  if (!isRecord(value) || !isText(value.kind) || !isText(value.body)) return false;
  return (value.data === undefined || isRecord(value.data)) && (value.thread === undefined || isText(value.thread));
}

/** Whether `value` is the payload of a CHANNEL_MESSAGE (docs/wire/relay.md#channels-and-shadows). */
export const isChannelMessagePayload = shape<ChannelMessagePayload>({
  channel: isText,
  body: isText,
  thread: optional(isText),
  mentions: optional(listOf(isText)),
  attachments: optional(
    listOf(
      shape<ChannelAttachment>({
        id: isText,
        filename: isText,
        mimeType: isText,
        size: optional(isFiniteNumber),
        url: optional(isText),
        data: optional(isText),
      }),
    ),
  ),
  data: optional(isRecord),
});

const isChannelMember = shape<ChannelMember>({
  name: isText,
  entityType: isText,
  displayName: optional(isText),
  avatarUrl: optional(isText),
  status: optional(isText),
});

/**
 * Guards of the types that carry messages, and say who gets them (docs/wire/relay.md#messages,
 * docs/wire/relay.md#channels-and-shadows).
 */
export const MESSAGE_GUARDS = {
  SEND: isSendPayload,
  DELIVER: isSendPayload,
  SUBSCRIBE: isRecord,
  UNSUBSCRIBE: isRecord,
  SHADOW_BIND: shape<ShadowBindPayload>({
    primaryAgent: isText,
    speakOn: optional(listOf(isText)),
    receiveIncoming: optional(isFlag),
    receiveOutgoing: optional(isFlag),
  }),
  SHADOW_UNBIND: shape<ShadowUnbindPayload>({ primaryAgent: isText }),
  CHANNEL_JOIN: shape<ChannelJoinPayload>({
    channel: isText,
    displayName: optional(isText),
    avatarUrl: optional(isText),
    member: optional(isText),
  }),
  CHANNEL_LEAVE: shape<ChannelLeavePayload>({
    channel: isText,
    reason: optional(isText),
    member: optional(isText),
  }),
  CHANNEL_MESSAGE: isChannelMessagePayload,
  CHANNEL_INFO: shape<ChannelInfoPayload>({
    channel: isText,
    name: isText,
    description: optional(isText),
    topic: optional(isText),
    members: listOf(isChannelMember),
    createdAt: isText,
    isPrivate: optional(isFlag),
  }),
  CHANNEL_MEMBERS: shape<ChannelMembersPayload>({ channel: isText, members: listOf(isChannelMember) }),
  CHANNEL_TYPING: shape<ChannelTypingPayload>({ channel: isText, isTyping: isFlag }),
  PROPOSAL_CREATE: isRecord,
  VOTE: isRecord,
} as const;
