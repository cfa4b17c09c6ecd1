import { MAILBOX_LIMITS, type RelayLimits } from "../../limits/index.js";
import type { RelayWrite } from "../../storage/index.js";
import type { Entry } from "./durable-cursor.js";
import type { Mailbox } from "./mailbox.js";
import type { Post, PostOutcome } from "./mailboxes.js";
import { deliverText, streamOf } from "./stored-deliver.js";

/** UTF-8 takes at most this many bytes for one UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;

/** Options of {@link MailboxTransaction}. */
export interface MailboxTransactionOptions {
  readonly limits: RelayLimits;
  /** Unix milliseconds. */
  readonly now: number;
  /** Bytes that wait in all mailboxes. */
  readonly totalBytes: number;
  mailboxOf(post: Post, isHistory: boolean): Mailbox;
}

/** What one mailbox gets in a committed transaction. */
export interface Commitment {
  readonly mailbox: Mailbox;
  /** To be delivered. */
  readonly entries: readonly Entry[];
  /** The mailbox's state was stored along. */
  readonly isStated: boolean;
}

/** What one mailbox gets in this transaction. */
interface Draft {
  readonly entries: Entry[];
  readonly streams: Map<string, number>;
  bytes: number;
  /** Its entries are for queries only. */
  readonly isHistory: boolean;
}

/**
 * The changes of one transaction to the mailboxes. Nothing changes in memory before it is {@link committed}: a failed
 * transaction uses up neither positions nor sequence numbers, and readers never look for what is not stored yet.
 */
export class MailboxTransaction {
  readonly #options: MailboxTransactionOptions;
  readonly #drafts = new Map<Mailbox, Draft>();
  /** Mailboxes whose whole row is in this transaction. */
  readonly #rewritten: Mailbox[] = [];
  #addedBytes = 0;
  /** Mailboxes whose state is in this transaction. */
  readonly #stated = new Set<Mailbox>();

  constructor(options: MailboxTransactionOptions) {
    this.#options = options;
  }

  /** Adds a post, or refuses it: the mailbox is full, or the DELIVER would not fit into a frame. */
  add(post: Post, isHistory: boolean): PostOutcome {
    const { limits, now } = this.#options;
    const mailbox = this.#options.mailboxOf(post, isHistory);
    const { backlog, sessionId } = mailbox;
    const draft = this.#draftOf(mailbox, isHistory);
    const depth = backlog.depth + draft.entries.length;
    if (!isHistory && (depth >= limits.mailboxEntries || backlog.bytes + draft.bytes >= this.#mostBytes())) {
      return full(post, depth);
    }
    const stream = streamOf(post.from, post.topic);
    const seq = (draft.streams.get(stream) ?? mailbox.streams.get(stream) ?? 0) + 1;
    const isOffline = !isHistory && !mailbox.isOutbox && mailbox.readers.size === 0;
    const { id, text } = deliverText(post, { seq, sessionId, ts: now, isOffline });
    const bytes = sizeOf(text, limits.relayFrameBytes);
    if (bytes > limits.relayFrameBytes) return tooLarge(post, bytes, limits.relayFrameBytes);
    draft.streams.set(stream, seq);
    draft.entries.push({ id, text, position: backlog.lastPosition + draft.entries.length + 1, sessionId });
    draft.bytes += text.length;
    if (!isHistory) this.#addedBytes += text.length;
    return { state: "queued" };
  }

  /**
   * Everything to store. New entries show by themselves where their mailbox stands, so its state is written only when it is
   * among `changed`: once per short while, not with each message.
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

  /** The transaction succeeded: changes the mailboxes in memory, and returns what is to be delivered. */
  committed(): Commitment[] {
    for (const mailbox of this.#stated) mailbox.dirtyStreams.clear();
    return [...this.#drafts].map(([mailbox, draft]) => {
      const isStated = this.#stated.has(mailbox);
      const { backlog } = mailbox;
      backlog.append(draft.entries.length, draft.bytes);
      for (const [stream, seq] of draft.streams) {
        mailbox.streams.set(stream, seq);
        if (!isStated) mailbox.dirtyStreams.add(stream);
      }
      if (draft.isHistory) backlog.dropThrough(backlog.lastPosition, draft.bytes);
      return { mailbox, entries: draft.isHistory ? [] : draft.entries, isStated };
    });
  }

  /** The mailboxes that get something. */
  get mailboxes(): ReadonlySet<Mailbox> {
    return new Set(this.#drafts.keys());
  }

  /** Size of the entries that it stores, as UTF-16 units. */
  get writtenUnits(): number {
    let units = 0;
    for (const { bytes } of this.#drafts.values()) units += bytes;
    return units;
  }

  /** The transaction failed: rows that were to be written whole still are. */
  failed(): void {
    for (const mailbox of this.#rewritten) mailbox.isNew = true;
  }

  /** The bytes with which a mailbox is full. */
  #mostBytes(): number {
    const { limits, totalBytes } = this.#options;
    const left = limits.mailboxTotalBytes - totalBytes - this.#addedBytes;
    return Math.min(limits.mailboxBytes, left * MAILBOX_LIMITS.shareOfLeft);
  }

  #draftOf(mailbox: Mailbox, isHistory: boolean): Draft {
    const known = this.#drafts.get(mailbox);
    if (known !== undefined) return known;
    const made: Draft = { entries: [], streams: new Map(), bytes: 0, isHistory };
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
    const { backlog } = mailbox;
    const lastPosition = backlog.lastPosition + (draft?.entries.length ?? 0);
    const isHistory = draft?.isHistory ?? false;
    const after = {
      lastPosition,
      waitingBytes: backlog.bytes + (isHistory ? 0 : (draft?.bytes ?? 0)),
      ...(isHistory ? { lowWater: lastPosition } : {}),
    };
    if (!mailbox.isNew) return { kind: "mailboxState", state: { ...mailbox.state(), ...after } };
    mailbox.isNew = false;
    this.#rewritten.push(mailbox);
    return { kind: "mailbox", row: { ...mailbox.row(), ...after } };
  }

  #prune(mailbox: Mailbox, writes: RelayWrite[]): void {
    const { mailboxHistory } = this.#options.limits;
    const beforePosition = mailbox.backlog.lowWater - mailboxHistory;
    if (beforePosition - mailbox.prunedBefore < mailboxHistory) return;
    mailbox.prunedBefore = beforePosition;
    writes.push({ kind: "pruneMailbox", address: mailbox.address, beforePosition });
  }
}

function* segmentsOf(entries: readonly Entry[]): Generator<Entry[]> {
  const { segmentEntries, segmentUnits } = MAILBOX_LIMITS;
  let segment: Entry[] = [];
  let units = 0;
  for (const entry of entries) {
    segment.push(entry);
    units += entry.text.length;
    if (segment.length < segmentEntries && units < segmentUnits) continue;
    yield segment;
    segment = [];
    units = 0;
  }
  if (segment.length > 0) yield segment;
}

/** Bytes of a text. Not counted for a short one, which is within the limit whatever it holds. */
function sizeOf(text: string, limit: number): number {
  return text.length * UTF8_BYTES_PER_UNIT <= limit ? text.length : Buffer.byteLength(text);
}

function full({ to, refId }: Post, depth: number): PostOutcome {
  const message = `The mailbox of ${to} is full: message ${refId} was not taken. Send it again later.`;
  return { state: "refused", code: "BUSY", message, retryAfterMs: MAILBOX_LIMITS.fullRetryMs, queueDepth: depth };
}

function tooLarge(post: Post, bytes: number, limit: number): PostOutcome {
  const message =
    `Message ${post.refId} to ${post.to} was not taken: as a DELIVER it has ${bytes} bytes, ` +
    `${limit} are the limit. Send less at once.`;
  return { state: "refused", code: "BAD_REQUEST", message };
}
