import type { MailboxRow, MailboxState } from "../../storage/index.js";
import { PositionSet } from "./position-set.js";
import { WaitingList } from "./waiting-list.js";

/** An entry that is stored. */
export interface Entry {
  readonly id: string;
  readonly position: number;
  readonly text: string;
  /** The session that stands in it, where that is known. */
  readonly sessionId?: string | undefined;
}

/** A connected reader, as its mailbox knows it. */
export interface AttachedReader {
  /** Whether the reader was given everything that is stored. */
  readonly isLive: boolean;
  /** Takes entries that were just committed; each reader of a mailbox gets the same ones. */
  onCommitted(entries: readonly Entry[]): void;
  /** Delivers an entry again; not to a reader that has not come as far. */
  redeliver(entry: Entry): boolean;
  /** Ends the delivery. */
  close(): void;
}

/**
 * One mailbox in memory: what was acknowledged, what waits for an ACK, how far its streams are numbered. The entries
 * themselves are in the store; who is connected gets new ones straight from the commit.
 */
export class Mailbox {
  readonly address: string;
  readonly readers = new Set<AttachedReader>();
  /** Delivered to the present readers and not acknowledged. */
  readonly waiting = new WaitingList();
  readonly streams: Map<string, number>;
  /** Those whose last number the store has only in the entries themselves. */
  readonly dirtyStreams = new Set<string>();
  /** In DELIVERs that are made while nobody is connected. */
  sessionId: string;
  /** Messages were dropped by age since somebody connected last. */
  hasLost: boolean;
  /** The newest entry that is stored. */
  lastPosition: number;
  waitingBytes: number;
  /** Segments that end before this were dropped from the store. */
  prunedBefore = 0;
  /** The store does not have it, or not with this session: the whole row is to be written. */
  isNew: boolean;
  #lowWater: number;
  readonly #acked: PositionSet;

  constructor(
    address: string,
    sessionId: string,
    row?: MailboxRow & { streams: readonly (readonly [string, number])[] },
  ) {
    this.address = address;
    const body = row === undefined ? undefined : (JSON.parse(row.body) as { sessionId: string; hasLost: boolean });
    this.sessionId = body?.sessionId ?? sessionId;
    this.hasLost = body?.hasLost ?? false;
    this.#lowWater = row?.lowWater ?? 0;
    this.#acked = new PositionSet(row?.acked);
    this.lastPosition = row?.lastPosition ?? 0;
    this.waitingBytes = row?.waitingBytes ?? 0;
    this.streams = new Map(row?.streams);
    this.isNew = row === undefined;
  }

  /** Everything up to here was acknowledged, or dropped. */
  get lowWater(): number {
    return this.#lowWater;
  }

  /** Entries that were not acknowledged. */
  get depth(): number {
    return this.lastPosition - this.#lowWater - this.#acked.size;
  }

  /** Whether somebody is connected who gets new entries at once. */
  get isLive(): boolean {
    for (const reader of this.readers) if (reader.isLive) return true;
    return false;
  }

  /** Takes over entries that were stored after the state was: the death of a daemon came in between. */
  recover(entries: readonly { readonly stream: string; readonly seq: number; readonly chars: number }[]): void {
    for (const { stream, seq, chars } of entries) {
      this.streams.set(stream, seq);
      this.dirtyStreams.add(stream);
      this.lastPosition++;
      this.waitingBytes += chars;
    }
  }

  isAcked(position: number): boolean {
    return position <= this.#lowWater || this.#acked.has(position);
  }

  /** Takes an ACK. False when the id waits for none. */
  ack(id: string): boolean {
    const entry = this.waiting.take(id);
    if (entry === undefined) return false;
    this.waitingBytes = Math.max(0, this.waitingBytes - entry.bytes);
    if (entry.position !== this.#lowWater + 1) this.#acked.add(entry.position);
    else this.#lowWater = this.#acked.dropThrough(entry.position);
    return true;
  }

  /** Drops everything up to `position`, because it is too old or not wanted. `bytes`: of what was not acknowledged. */
  drop(position: number, bytes: number): void {
    if (position <= this.#lowWater) return;
    this.#lowWater = this.#acked.dropThrough(position);
    this.waitingBytes = this.depth === 0 ? 0 : Math.max(0, this.waitingBytes - bytes);
    this.waiting.dropThrough(position);
  }

  state(): MailboxState {
    const { address, lowWater, lastPosition, waitingBytes } = this;
    return {
      address,
      lowWater,
      lastPosition,
      waitingBytes,
      acked: this.#acked.runs.map(([from, to]) => [from, to] as const),
    };
  }

  row(): MailboxRow {
    const { sessionId, hasLost } = this;
    return { ...this.state(), body: JSON.stringify({ sessionId, hasLost }) };
  }
}
