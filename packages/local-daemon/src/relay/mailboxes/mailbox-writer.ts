import type { RelayLimits } from "../../limits/index.js";
import type { RelayWrite } from "../../storage/index.js";
import { deliverText } from "./deliver-text.js";
import type { Entry, Mailbox } from "./mailbox.js";
import { streamOf } from "./mailbox-recovery.js";
import type { Post, PostOutcome } from "./mailboxes.js";

/** A stored segment holds at most this much, so that a reader that wants one entry reads little. */
const SEGMENT_ENTRIES = 128;
const SEGMENT_CHARS = 256 * 1024;

/** When a sender that found a mailbox full should try again. */
const FULL_RETRY_MS = 1_000;

/** UTF-8 takes at most this many bytes for one UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;

/** Options of {@link MailboxWriter}. */
export interface MailboxWriterOptions {
  readonly limits: RelayLimits;
  /** Unix milliseconds. */
  readonly now: number;
  mailboxOf(post: Post, isHistory: boolean): Mailbox;
}

/** What one mailbox gets in this transaction. */
interface Draft {
  readonly entries: Entry[];
  readonly streams: Map<string, number>;
  chars: number;
  /** Its entries are for queries only. */
  isHistory: boolean;
}

/**
 * What one transaction does to the mailboxes. Nothing is changed in memory before it is {@link committed}: a failed
 * transaction uses up neither positions nor sequence numbers, and readers never look for what is not stored yet.
 */
export class MailboxWriter {
  readonly #options: MailboxWriterOptions;
  readonly #drafts = new Map<Mailbox, Draft>();
  /** Those whose whole row is in this transaction. */
  readonly #rewritten: Mailbox[] = [];
  /** Those whose state is in this transaction. */
  readonly #stated = new Set<Mailbox>();

  constructor(options: MailboxWriterOptions) {
    this.#options = options;
  }

  /** Adds a post, or refuses it: the mailbox is full, or the DELIVER would not fit into a frame. */
  add(post: Post, isHistory: boolean): PostOutcome {
    const { limits, now } = this.#options;
    const mailbox = this.#options.mailboxOf(post, isHistory);
    const draft = this.#draftOf(mailbox, isHistory);
    const depth = mailbox.depth + draft.entries.length;
    if (!isHistory && (depth >= limits.mailboxEntries || mailbox.waitingBytes + draft.chars >= limits.mailboxBytes)) {
      const message = `The mailbox of ${post.to} is full: message ${post.refId} was not taken. Send it again later.`;
      return { state: "refused", code: "BUSY", message, retryAfterMs: FULL_RETRY_MS, queueDepth: depth };
    }
    const stream = streamOf(post.from, post.topic);
    const seq = (draft.streams.get(stream) ?? mailbox.streams.get(stream) ?? 0) + 1;
    const isOffline = !isHistory && mailbox.readers.size === 0;
    const made = deliverText(post, { seq, sessionId: mailbox.sessionId, ts: now, isOffline });
    const bytes = sizeOf(made.text, limits.relayFrameBytes);
    if (bytes > limits.relayFrameBytes) return tooLarge(post, bytes, limits.relayFrameBytes);
    draft.streams.set(stream, seq);
    const position = mailbox.lastPosition + draft.entries.length + 1;
    draft.entries.push({ id: made.id, text: made.text, position, sessionId: mailbox.sessionId });
    draft.chars += made.text.length;
    return { state: "queued" };
  }

  /**
   * Everything to store. New entries tell by themselves where their mailbox stands, so its state is written only when it
   * is among `changed`: after a while, not with each message.
   */
  writes(changed: ReadonlySet<Mailbox>): RelayWrite[] {
    const writes: RelayWrite[] = [];
    for (const [mailbox, draft] of this.#drafts) {
      this.#writeSegments(mailbox, draft, writes);
      if (mailbox.isNew || draft.isHistory) this.#writeState(mailbox, writes);
    }
    for (const mailbox of changed) if (!this.#stated.has(mailbox)) this.#writeState(mailbox, writes);
    return writes;
  }

  /** The transaction succeeded: makes it true in memory, and tells what is to be delivered. */
  committed(): { mailbox: Mailbox; entries: readonly Entry[]; isStated: boolean }[] {
    for (const mailbox of this.#stated) mailbox.dirtyStreams.clear();
    return [...this.#drafts].map(([mailbox, draft]) => {
      const isStated = this.#stated.has(mailbox);
      mailbox.lastPosition += draft.entries.length;
      mailbox.waitingBytes += draft.chars;
      for (const [stream, seq] of draft.streams) {
        mailbox.streams.set(stream, seq);
        if (!isStated) mailbox.dirtyStreams.add(stream);
      }
      if (draft.isHistory) mailbox.drop(mailbox.lastPosition, draft.chars);
      return { mailbox, entries: draft.isHistory ? [] : draft.entries, isStated };
    });
  }

  /** The transaction failed: what was to be written whole still is. */
  failed(): void {
    for (const mailbox of this.#rewritten) mailbox.isNew = true;
  }

  #draftOf(mailbox: Mailbox, isHistory: boolean): Draft {
    const known = this.#drafts.get(mailbox);
    if (known !== undefined) return known;
    const made: Draft = { entries: [], streams: new Map(), chars: 0, isHistory };
    this.#drafts.set(mailbox, made);
    return made;
  }

  #writeSegments({ address }: Mailbox, draft: Draft, writes: RelayWrite[]): void {
    for (const entries of segmentsOf(draft.entries)) {
      const firstPosition = entries[0]?.position ?? 0;
      const row = { address, firstPosition, entries: entries.map(({ text }) => text), createdAt: this.#options.now };
      writes.push({ kind: "mailboxSegment", row });
    }
  }

  #writeState(mailbox: Mailbox, writes: RelayWrite[]): void {
    const { address } = mailbox;
    const draft = this.#drafts.get(mailbox);
    this.#stated.add(mailbox);
    writes.push(this.#stateWrite(mailbox, draft));
    for (const stream of new Set([...mailbox.dirtyStreams, ...(draft?.streams.keys() ?? [])])) {
      const seq = draft?.streams.get(stream) ?? mailbox.streams.get(stream) ?? 0;
      writes.push({ kind: "mailboxStream", address, stream, seq });
    }
    this.#prune(mailbox, writes);
  }

  #stateWrite(mailbox: Mailbox, draft: Draft | undefined): RelayWrite {
    const lastPosition = mailbox.lastPosition + (draft?.entries.length ?? 0);
    const isHistory = draft?.isHistory ?? false;
    const after = {
      lastPosition,
      waitingBytes: mailbox.waitingBytes + (isHistory ? 0 : (draft?.chars ?? 0)),
      ...(isHistory ? { lowWater: lastPosition } : {}),
    };
    if (!mailbox.isNew) return { kind: "mailboxState", state: { ...mailbox.state(), ...after } };
    mailbox.isNew = false;
    this.#rewritten.push(mailbox);
    return { kind: "mailbox", row: { ...mailbox.row(), ...after } };
  }

  #prune(mailbox: Mailbox, writes: RelayWrite[]): void {
    const { mailboxHistory } = this.#options.limits;
    const beforePosition = mailbox.lowWater - mailboxHistory;
    if (beforePosition - mailbox.prunedBefore < mailboxHistory) return;
    mailbox.prunedBefore = beforePosition;
    writes.push({ kind: "pruneMailbox", address: mailbox.address, beforePosition });
  }
}

function* segmentsOf(entries: readonly Entry[]): Generator<Entry[]> {
  let segment: Entry[] = [];
  let chars = 0;
  for (const entry of entries) {
    segment.push(entry);
    chars += entry.text.length;
    if (segment.length < SEGMENT_ENTRIES && chars < SEGMENT_CHARS) continue;
    yield segment;
    segment = [];
    chars = 0;
  }
  if (segment.length > 0) yield segment;
}

/** Bytes of a text, where that matters: short ones are within the limit whatever they hold. */
function sizeOf(text: string, limit: number): number {
  return text.length * UTF8_BYTES_PER_UNIT <= limit ? text.length : Buffer.byteLength(text);
}

function tooLarge(post: Post, bytes: number, limit: number): PostOutcome {
  const message =
    `Message ${post.refId} to ${post.to} was not taken: as a DELIVER it has ${bytes} bytes, ` +
    `${limit} are the limit. Send less at once.`;
  return { state: "refused", code: "BAD_REQUEST", message };
}
