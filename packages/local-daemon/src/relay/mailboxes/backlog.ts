import type { MailboxState } from "../../storage/index.js";
import { PositionSet } from "./position-set.js";
import { WaitingList } from "./waiting-list.js";

/** The account of a {@link Backlog} as it is stored. */
export type BacklogAccount = Omit<MailboxState, "address">;

/** The bytes of several backlogs together. */
export class WaitingBytes {
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(bytes: number): void {
    this.#total += bytes;
  }
}

/**
 * What of a mailbox is not acknowledged: a low-water mark, the positions acknowledged above it, and the entries that were
 * delivered and wait for their ACK. The entries themselves are in the store.
 */
export class Backlog {
  /** Delivered to the present readers and not acknowledged. */
  readonly waiting = new WaitingList();
  #lowWater: number;
  readonly #acked: PositionSet;
  #lastPosition: number;
  readonly #all: WaitingBytes;
  #bytes = 0;

  /** @param all counts the bytes of every backlog that was made with it */
  constructor(account?: BacklogAccount, all = new WaitingBytes()) {
    this.#all = all;
    this.#lowWater = account?.lowWater ?? 0;
    this.#acked = new PositionSet(account?.acked);
    this.#lastPosition = account?.lastPosition ?? 0;
    this.#setBytes(account?.waitingBytes ?? 0);
  }

  /** Everything up to this position was acknowledged or dropped. */
  get lowWater(): number {
    return this.#lowWater;
  }

  /** The newest entry that is stored. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** Entries that were not acknowledged. */
  get depth(): number {
    return this.#lastPosition - this.#lowWater - this.#acked.size;
  }

  /** Size of the entries that were not acknowledged, as UTF-16 units of their texts. */
  get bytes(): number {
    return this.#bytes;
  }

  isAcked(position: number): boolean {
    return position <= this.#lowWater || this.#acked.has(position);
  }

  /** Takes over entries that were stored behind the newest one. */
  append(entries: number, bytes: number): void {
    this.#lastPosition += entries;
    this.#setBytes(this.#bytes + bytes);
  }

  /** Takes an ACK. False when no entry of that id waits for one. */
  ack(id: string): boolean {
    const entry = this.waiting.take(id);
    if (entry === undefined) return false;
    this.#setBytes(Math.max(0, this.#bytes - entry.bytes));
    if (entry.position !== this.#lowWater + 1) this.#acked.add(entry.position);
    else this.#lowWater = this.#acked.dropThrough(entry.position);
    return true;
  }

  /**
   * Drops everything up to `position`, because it is too old or for queries only.
   *
   * @param bytes of the dropped entries that were not acknowledged
   */
  dropThrough(position: number, bytes: number): void {
    if (position <= this.#lowWater) return;
    this.#lowWater = this.#acked.dropThrough(position);
    this.#setBytes(this.depth === 0 ? 0 : Math.max(0, this.#bytes - bytes));
    this.waiting.dropThrough(position);
  }

  /** The mailbox is dropped: its bytes count no more. */
  discard(): void {
    this.#setBytes(0);
  }

  account(): BacklogAccount {
    return {
      lowWater: this.#lowWater,
      lastPosition: this.#lastPosition,
      waitingBytes: this.#bytes,
      acked: this.#acked.runs.map(([from, to]) => [from, to] as const),
    };
  }

  #setBytes(bytes: number): void {
    this.#all.add(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}
