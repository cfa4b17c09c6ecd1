import * as z from "zod/mini";

const text = z.string();
const optionalText = z.exactOptional(text);
const optionalFlag = z.exactOptional(z.boolean());
const openRecord = z.record(z.string(), z.unknown());
const texts = z.array(text);

const send = z.looseObject({ kind: text, body: text, data: z.exactOptional(openRecord), thread: optionalText });

const member = z.looseObject({
  name: text,
  entityType: text,
  displayName: optionalText,
  avatarUrl: optionalText,
  status: optionalText,
});

/**
 * Schemas of the types that carry messages, and say who gets them (docs/wire/relay.md#messages,
 * docs/wire/relay.md#channels-and-shadows); other keys pass.
 */
export const MESSAGE_SCHEMAS = {
  SEND: send,
  DELIVER: send,
  SUBSCRIBE: openRecord,
  UNSUBSCRIBE: openRecord,
  SHADOW_BIND: z.looseObject({
    primaryAgent: text,
    speakOn: z.exactOptional(texts),
    receiveIncoming: optionalFlag,
    receiveOutgoing: optionalFlag,
  }),
  SHADOW_UNBIND: z.looseObject({ primaryAgent: text }),
  CHANNEL_JOIN: z.looseObject({
    channel: text,
    displayName: optionalText,
    avatarUrl: optionalText,
    member: optionalText,
  }),
  CHANNEL_LEAVE: z.looseObject({ channel: text, reason: optionalText, member: optionalText }),
  CHANNEL_MESSAGE: z.looseObject({
    channel: text,
    body: text,
    thread: optionalText,
    mentions: z.exactOptional(texts),
    attachments: z.exactOptional(
      z.array(
        z.looseObject({
          id: text,
          filename: text,
          mimeType: text,
          size: z.exactOptional(z.number()),
          url: optionalText,
          data: optionalText,
        }),
      ),
    ),
    data: z.exactOptional(openRecord),
  }),
  CHANNEL_INFO: z.looseObject({
    channel: text,
    name: text,
    description: optionalText,
    topic: optionalText,
    members: z.array(member),
    createdAt: text,
    isPrivate: optionalFlag,
  }),
  CHANNEL_MEMBERS: z.looseObject({ channel: text, members: z.array(member) }),
  CHANNEL_TYPING: z.looseObject({ channel: text, isTyping: z.boolean() }),
  PROPOSAL_CREATE: openRecord,
  VOTE: openRecord,
} as const;
