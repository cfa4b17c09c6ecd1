import { type SessionNotification, TextCutter, UTF8_BYTES_PER_UNIT } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import { notificationText } from "./journal-frame.js";

/** An entry that is larger than a client could be sent. */
export interface OversizedEntry {
  /** Type of the notification, or method of the request. */
  readonly type: string;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Bytes of its texts that were left out, so that the rest could be stored; undefined when nothing of it was stored. */
  readonly missingBytes?: number;
}

/** A notification as an entry holds it. */
export interface BoundedNotification {
  readonly notification: SessionNotification;
  readonly text: string;
  /** Set when the notification was too large, and its texts were cut. */
  readonly oversized?: OversizedEntry;
}

/**
 * The rule of every journal: nothing that cannot be delivered is stored or sent.
 *
 * A notification over `JOURNAL_LIMITS.entryBytes` gets its long texts cut. One that is too large all the same is refused: the
 * result is the {@link OversizedEntry} alone.
 *
 * @param json of the notification; default: {@link notificationText}
 */
export function boundedNotification(
  notification: SessionNotification,
  json?: string,
): BoundedNotification | OversizedEntry {
  const text = json ?? notificationText(notification);
  const maxBytes = JOURNAL_LIMITS.entryBytes;
  if (fits(text, maxBytes)) return { notification, text };
  const whole = Buffer.from(text);
  const cutter = new TextCutter({ maxBytes, textBytes: JOURNAL_LIMITS.cutTextBytes });
  cutter.push(whole);
  const cut = cutter.end();
  const oversized = { type: brief(notification.type), bytes: whole.length, maxBytes };
  if (cut === undefined) return oversized;
  const shorter = new TextDecoder().decode(cut.bytes);
  return {
    notification: JSON.parse(shorter) as SessionNotification,
    text: shorter,
    oversized: { ...oversized, missingBytes: cut.missingBytes },
  };
}

/** The same for a request to the user. Nothing of it is cut: a person must see all that is asked. */
export function oversizedRequest(method: string, text: string): OversizedEntry | undefined {
  const maxBytes = JOURNAL_LIMITS.requestBytes;
  return fits(text, maxBytes) ? undefined : { type: method, bytes: Buffer.byteLength(text), maxBytes };
}

function fits(text: string, maxBytes: number): boolean {
  return text.length * UTF8_BYTES_PER_UNIT <= maxBytes || Buffer.byteLength(text) <= maxBytes;
}

/** A type is the agent's word, and may be of any length. */
function brief(type: string): string {
  return type.length <= 64 ? type : `${type.slice(0, 63)}…`;
}
