import { newId } from "@daemon-sdk/protocol";
import { type Envelope, isEnvelopeOf, isSendMeta } from "@daemon-sdk/protocol/relay";
import type { Post } from "./mailboxes.js";

/** The parts of a DELIVER that do not come from the post. */
export interface DeliverFields {
  readonly seq: number;
  readonly sessionId: string;
  /** Unix milliseconds. */
  readonly ts: number;
  /** Set when the recipient was away: marks the data as the original does (docs/wire/relay.md#absent-recipients). */
  readonly isOffline: boolean;
}

/** A DELIVER as it is stored and sent. */
export interface DeliverText {
  readonly id: string;
  readonly text: string;
}

/** The stream that numbered an entry, and its number in there. */
export interface StreamPlace {
  readonly stream: string;
  readonly seq: number;
}

const HEAD = '{"v":1,"type":"DELIVER","id":"';
const ID_CHARS = 36;
/** In the DELIVER of every blocking SEND, and in few others. */
const SYNC = '"sync":{';
/** Inside a JSON string every quote follows a backslash, so this text never occurs in what a peer wrote. */
const SESSION = '"session_id":"';

/**
 * Writes the DELIVER of a post (docs/wire/relay.md#messages). The fields have a fixed order, on which {@link deliverId} and
 * {@link inSession} rely.
 */
export function deliverText(post: Post, fields: DeliverFields): DeliverText {
  const id = newId();
  const { from, to, topic, payload, payload_meta: meta, originalTo } = post;
  const body = fields.isOffline
    ? { ...payload, data: { ...payload.data, _offlineQueued: true, _queuedAt: fields.ts } }
    : payload;
  const head =
    `${HEAD}${id}","ts":${fields.ts},"from":${JSON.stringify(from)},"to":${JSON.stringify(to)}` +
    (topic === undefined ? "" : `,"topic":${JSON.stringify(topic)}`) +
    `,"payload":${JSON.stringify(body)}${meta === undefined ? "" : `,"payload_meta":${JSON.stringify(meta)}`}`;
  const original = originalTo === undefined ? "" : `,"originalTo":${JSON.stringify(originalTo)}`;
  const delivery = `{"seq":${fields.seq},${SESSION}${fields.sessionId}"${original}}`;
  return { id, text: `${head},"delivery":${delivery}}` };
}

/** The id of a stored DELIVER. */
export function deliverId(text: string): string {
  return text.slice(HEAD.length, HEAD.length + ID_CHARS);
}

/** A stored DELIVER for a reader of another session: only `delivery.session_id` differs. */
export function inSession(text: string, sessionId: string): string {
  const start = text.lastIndexOf(SESSION) + SESSION.length;
  const end = start + ID_CHARS;
  if (text.startsWith(sessionId, start)) return text;
  return text.slice(0, start) + sessionId + text.slice(end);
}

/** The correlation id under which the sender of a stored DELIVER waits for an ACK. Undefined when the sender does not wait. */
export function awaitedId(text: string): string | undefined {
  // Few messages are blocking SENDs; the others are not parsed for this.
  if (!text.includes(SYNC)) return undefined;
  const { payload_meta: meta } = JSON.parse(text) as Envelope;
  return isSendMeta(meta) && meta.sync?.blocking === true ? meta.sync.correlationId : undefined;
}

/** The number of a stored DELIVER; undefined when the text is damaged. */
export function streamPlace(text: string): StreamPlace | undefined {
  const envelope = JSON.parse(text) as Envelope;
  if (!isEnvelopeOf(envelope, "DELIVER")) return undefined;
  return { stream: streamOf(envelope.from, envelope.topic), seq: envelope.delivery.seq };
}

/** The post of a stored DELIVER, as its sender had sent it; undefined when the text is damaged. */
export function postOf(text: string): Post | undefined {
  let envelope: Envelope;
  try {
    envelope = JSON.parse(text) as Envelope;
  } catch {
    return undefined;
  }
  if (!isEnvelopeOf(envelope, "DELIVER")) return undefined;
  const { id: refId, from, to = "", topic, payload, payload_meta, delivery } = envelope;
  return { from, to, topic, payload, payload_meta, originalTo: delivery.originalTo, refId };
}

/** The stream in which messages of one sender and topic are numbered (docs/wire/relay.md#stream-numbers). */
export function streamOf(from: string, topic: string | undefined): string {
  return `${topic ?? "default"}:${from}`;
}
