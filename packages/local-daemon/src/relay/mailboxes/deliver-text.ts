import { newId } from "@daemon-sdk/protocol";
import type { Post } from "./mailboxes.js";

/** Where the parts of a DELIVER stand that are not the post's. */
export interface DeliverPlace {
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

const HEAD = '{"v":1,"type":"DELIVER","id":"';
const ID_CHARS = 36;
/** Inside a string of JSON every quote has a backslash before it, so this is never part of what a peer wrote. */
const SESSION = '"session_id":"';

/**
 * Writes the DELIVER of a post (docs/wire/relay.md#messages). Written by hand, in a fixed order: {@link deliverId} and
 * {@link inSession} rely on it.
 */
export function deliverText(post: Post, place: DeliverPlace): DeliverText {
  const id = newId();
  const { from, to, topic, payload, payload_meta: meta, originalTo } = post;
  const body = place.isOffline
    ? { ...payload, data: { ...payload.data, _offlineQueued: true, _queuedAt: place.ts } }
    : payload;
  const fields =
    `${HEAD}${id}","ts":${place.ts},"from":${JSON.stringify(from)},"to":${JSON.stringify(to)}` +
    (topic === undefined ? "" : `,"topic":${JSON.stringify(topic)}`) +
    `,"payload":${JSON.stringify(body)}${meta === undefined ? "" : `,"payload_meta":${JSON.stringify(meta)}`}`;
  const original = originalTo === undefined ? "" : `,"originalTo":${JSON.stringify(originalTo)}`;
  const delivery = `{"seq":${place.seq},${SESSION}${place.sessionId}"${original}}`;
  return { id, text: `${fields},"delivery":${delivery}}` };
}

/** The id of a stored DELIVER. */
export function deliverId(text: string): string {
  return text.slice(HEAD.length, HEAD.length + ID_CHARS);
}

/** A stored DELIVER as a reader of another session gets it: the same in everything but `delivery.session_id`. */
export function inSession(text: string, sessionId: string): string {
  const start = text.lastIndexOf(SESSION) + SESSION.length;
  const end = start + ID_CHARS;
  if (text.startsWith(sessionId, start)) return text;
  return text.slice(0, start) + sessionId + text.slice(end);
}
