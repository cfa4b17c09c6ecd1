import {
  bodyText,
  type ChannelAttachment,
  type Envelope,
  isEnvelopeOf,
  type JsonBody,
  type RelayEnvelope,
} from "@daemon-sdk/protocol/relay";

/** How a message was addressed to this agent. */
export type RelayRoute = "direct" | "broadcast" | "topic" | "channel" | "shadow";

/** A message from another agent or user. */
export interface RelayMessage {
  /** The same in a redelivery. */
  readonly id: string;
  /** The sender's name, as the daemon verified it. */
  readonly from: string;
  /** What the sender addressed: this agent, `*`, `@users`, a channel, or the agent that this one shadows. */
  readonly to: string;
  readonly route: RelayRoute;
  /** `message`, `action`, `state`, `thinking`, or a word of the sender's. */
  readonly kind: string;
  /** The text; of a body that is no text, its JSON. */
  readonly body: string;
  /** A body that is no text, as it was sent. */
  readonly json?: Exclude<JsonBody, string>;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly thread?: string;
  readonly topic?: string;
  readonly channel?: string;
  readonly mentions?: readonly string[];
  readonly attachments?: readonly ChannelAttachment[];
  /** Unix milliseconds, by the daemon's clock. */
  readonly sentAt: number;
  /** Counts per topic and sender; 0 for channel messages, which are not numbered. */
  readonly seq: number;
  /** The sender waits for a message as the response: use `respond`. */
  readonly requestId?: string;
  /** The sender waits in `sendAndWait`: use `answer`. */
  readonly answerId?: string;
}

/** A DELIVER as a message. */
export function messageOfDeliver(envelope: RelayEnvelope<"DELIVER">): RelayMessage {
  const { id, from, to = "", topic, ts, payload, payload_meta: meta, delivery } = envelope;
  const { kind, body, data, thread } = payload;
  const addressed = delivery.originalTo ?? to;
  const requestId = data?._isResponse === true ? undefined : correlationOf(envelope);
  return {
    id,
    from,
    to: addressed,
    route: data?._shadowCopy === true ? "shadow" : routeOf(addressed, topic),
    kind,
    ...bodyOf(body),
    ...(data === undefined ? {} : { data }),
    ...(thread === undefined ? {} : { thread }),
    ...(topic === undefined ? {} : { topic }),
    sentAt: ts,
    seq: delivery.seq,
    ...(requestId === undefined ? {} : { requestId }),
    ...(meta?.sync?.blocking ? { answerId: meta.sync.correlationId } : {}),
  };
}

/** A CHANNEL_MESSAGE as a message; undefined when it lacks its sender. */
export function messageOfChannel(envelope: Envelope): RelayMessage | undefined {
  if (!isEnvelopeOf(envelope, "CHANNEL_MESSAGE") || envelope.from === undefined) return undefined;
  const { channel, body, thread, mentions, attachments, data } = envelope.payload;
  return {
    id: envelope.id,
    from: envelope.from,
    to: channel,
    route: "channel",
    kind: "message",
    ...bodyOf(body),
    channel,
    ...(data === undefined ? {} : { data }),
    ...(thread === undefined ? {} : { thread }),
    ...(mentions === undefined ? {} : { mentions }),
    ...(attachments === undefined ? {} : { attachments }),
    sentAt: envelope.ts,
    seq: 0,
  };
}

/**
 * The correlation id of a request and its response: in the meta, or in the data, as older clients send it
 * (docs/wire/relay.md#sdk-client).
 */
export function correlationOf({ payload, payload_meta: meta }: RelayEnvelope<"DELIVER">): string | undefined {
  if (meta?.replyTo !== undefined) return meta.replyTo;
  const inData = payload.data?._correlationId;
  return typeof inData === "string" ? inData : undefined;
}

function bodyOf(body: JsonBody): Pick<RelayMessage, "body" | "json"> {
  return typeof body === "string" ? { body } : { body: bodyText(body), json: body };
}

function routeOf(addressed: string, topic: string | undefined): RelayRoute {
  if (addressed !== "*") return addressed === "@users" ? "broadcast" : "direct";
  return topic === undefined ? "broadcast" : "topic";
}
