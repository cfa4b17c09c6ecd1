import {
  type EnvelopeMeta,
  FACTORY_PROTOCOL_VERSION,
  LIMITS,
  type SessionId,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { SegmentRow } from "../storage/index.js";
import { FRAME_HEAD, notificationText, REQUEST_HEAD } from "./journal-frame.js";

const VERSION = `"factoryProtocolVersion":"${FACTORY_PROTOCOL_VERSION}"`;

/** Options of {@link Journal}. */
export interface JournalOptions {
  readonly sessionId: SessionId;
  /** This start of the daemon. */
  readonly epoch: number;
  /** Position of the last entry there ever was; 0 for none. */
  readonly lastSeq: number;
}

/**
 * The entries of one session that are not stored yet: stamps each with its position and writes its final text.
 *
 * A frame is written once and never changed: what is stored is what is sent, to everybody, now or later.
 */
export class Journal {
  readonly epoch: number;
  readonly #sessionId: SessionId;
  readonly #notificationHead: string;
  #lastSeq: number;
  #frames: string[] = [];
  #waitingChars = 0;

  constructor(options: JournalOptions) {
    this.epoch = options.epoch;
    this.#sessionId = options.sessionId;
    this.#lastSeq = options.lastSeq;
    const id = JSON.stringify(options.sessionId);
    this.#notificationHead = `${FRAME_HEAD}"notification",${VERSION},"method":"daemon.session_notification","params":{"sessionId":${id},"notification":`;
  }

  /** Position of the last entry, stored or not. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Length of what was written and not taken, in UTF-16 units: a lower bound of its bytes that costs nothing to know. */
  get waitingChars(): number {
    return this.#waitingChars;
  }

  /** Adds a notification. `meta` is what the agent's frame carried; what only we say there is dropped. */
  append(notification: SessionNotification, meta?: EnvelopeMeta): void {
    this.#push(`${this.#notificationHead}${notificationText(notification)}}`, meta);
  }

  /** Adds a request to the clients and returns its frame. */
  appendRequest(id: string, method: string, params: Record<string, unknown>): string {
    const body = JSON.stringify({ ...params, sessionId: this.#sessionId });
    return this.#push(
      `${REQUEST_HEAD},${VERSION},"id":${JSON.stringify(id)},"method":"daemon.${method}","params":${body}`,
      undefined,
    );
  }

  /** Everything that waits, as rows of at most `LIMITS.journalSegmentEntries`. */
  takeSegments(now: number): SegmentRow[] {
    const frames = this.#frames;
    let firstSeq = this.#lastSeq - frames.length + 1;
    this.#frames = [];
    this.#waitingChars = 0;
    const segments: SegmentRow[] = [];
    for (let start = 0; start < frames.length; start += LIMITS.journalSegmentEntries) {
      const part = frames.slice(start, start + LIMITS.journalSegmentEntries);
      segments.push({ sessionId: this.#sessionId, epoch: this.epoch, firstSeq, frames: part, createdAt: now });
      firstSeq += part.length;
    }
    return segments;
  }

  #push(unfinished: string, meta: EnvelopeMeta | undefined): string {
    const seq = ++this.#lastSeq;
    const frame = `${unfinished},"_meta":{"epoch":${this.epoch},"seq":${seq}${foreignMeta(meta)}}}`;
    this.#frames.push(frame);
    this.#waitingChars += frame.length;
    return frame;
  }
}

/** Keys of `_meta` that are ours: an agent cannot forge a position, nor what became of an entry. */
const OURS: ReadonlySet<string> = new Set(["epoch", "seq", "early", "resolved"]);

/** An agent's own side band, ready to be appended. */
function foreignMeta(meta: EnvelopeMeta | undefined): string {
  let text = "";
  for (const [name, value] of Object.entries(meta ?? {})) {
    if (OURS.has(name)) continue;
    const json: string | undefined = JSON.stringify(value);
    if (json !== undefined) text += `,${JSON.stringify(name)}:${json}`;
  }
  return text;
}
