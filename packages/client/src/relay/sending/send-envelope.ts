import {
  type ChannelMessagePayload,
  createEnvelope,
  type Envelope,
  type JsonBody,
  type SendMeta,
  type SendPayload,
} from "@daemon-sdk/protocol/relay";
import type { ReplyOptions } from "./pending-replies.js";

/** Fields of a message in addition to its text. */
export interface MessageOptions {
  /** Default `message`. */
  readonly kind?: SendPayload["kind"];
  readonly data?: Record<string, unknown>;
  readonly thread?: string;
  /** 0 to 100; the recipient sees it. */
  readonly importance?: number;
  readonly signal?: AbortSignal;
}

/** Options of calls that wait for another agent. */
export type ExchangeOptions = MessageOptions & ReplyOptions;

/** Fields of a post in a channel in addition to its text. */
export type PostOptions = Omit<ChannelMessagePayload, "channel" | "body"> & { readonly signal?: AbortSignal };

/** The address and the fields of a message. */
export interface SendFields extends MessageOptions {
  readonly to: string;
  readonly topic?: string;
}

/** A SEND. Absent fields are absent on the wire, too. */
export function sendEnvelope(id: string, body: JsonBody, fields: SendFields, meta?: SendMeta): Envelope<SendPayload> {
  const { to, topic, kind = "message", data, thread, importance } = fields;
  const whole: SendMeta = { ...(importance === undefined ? {} : { importance }), ...meta };
  const payload = {
    kind,
    body,
    ...(data === undefined ? {} : { data }),
    ...(thread === undefined ? {} : { thread }),
  };
  return createEnvelope("SEND", payload, {
    id,
    to,
    ...(topic === undefined ? {} : { topic }),
    ...(Object.keys(whole).length === 0 ? {} : { payload_meta: whole }),
  });
}
