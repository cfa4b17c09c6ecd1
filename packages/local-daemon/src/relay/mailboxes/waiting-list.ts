import { MAILBOX_LIMITS } from "../../limits/index.js";

/** An entry that was delivered and waits for its ACK. */
export interface Waiting {
  readonly id: string;
  readonly position: number;
  /** The correlation id under which the entry's sender waits for an ACK. */
  readonly awaitedId?: string | undefined;
  /** As `Backlog` counts them. */
  readonly bytes: number;
  /** First delivery to the present readers, Unix milliseconds. */
  readonly since: number;
  /** Redeliveries since then. */
  attempt: number;
  /** Next redelivery, Unix milliseconds. */
  dueAt: number;
}

/** When an entry that was first delivered at `since` is redelivered. */
export function firstDue(since: number): number {
  return since + MAILBOX_LIMITS.redeliveryMs[0];
}

/** Places before the first entry that are freed at once. */
const SLACK = 1_024;

/**
 * The entries of a mailbox that wait for their ACKs, by position. An ACK of the oldest entry, which nearly every ACK is,
 * costs one comparison. The first ACK out of order builds an index, which stays until the list is empty.
 */
export class WaitingList {
  #entries: (Waiting | undefined)[] = [];
  /** Place of the oldest entry. */
  #head = 0;
  #size = 0;
  #highest = 0;
  /** Places by id. */
  #index: Map<string, number> | undefined;
  /** Ids of the entries whose senders wait, by correlation id. */
  readonly #awaited = new Map<string, string>();

  get size(): number {
    return this.#size;
  }

  /** The highest position added since the last {@link clear}; every entry up to it was delivered. */
  get highest(): number {
    return this.#highest;
  }

  /** Adds an entry; its position is above all others. */
  add(entry: Waiting): void {
    this.#index?.set(entry.id, this.#entries.length);
    if (entry.awaitedId !== undefined) this.#awaited.set(entry.awaitedId, entry.id);
    this.#entries.push(entry);
    this.#size++;
    this.#highest = entry.position;
  }

  /** Removes an entry. Undefined when it does not wait. */
  take(id: string): Waiting | undefined {
    const oldest = this.#entries[this.#head];
    const place = oldest?.id === id ? this.#head : this.#placeOf(id);
    const entry = place === undefined ? undefined : this.#entries[place];
    if (place === undefined || entry === undefined) return undefined;
    this.#entries[place] = undefined;
    this.#index?.delete(id);
    if (entry.awaitedId !== undefined) this.#awaited.delete(entry.awaitedId);
    this.#size--;
    this.#tidy();
    return entry;
  }

  /** The id of the entry whose sender waits under that correlation id. */
  idOfAwaited(awaitedId: string): string | undefined {
    return this.#awaited.get(awaitedId);
  }

  /** The entries whose redelivery is due, oldest first. Each moves on to its next redelivery. */
  takeDue(now: number): Waiting[] {
    const due = [...this.values()].filter(({ dueAt }) => dueAt <= now);
    for (const entry of due) postpone(entry);
    return due;
  }

  /** Removes every entry up to `position`. */
  dropThrough(position: number): void {
    for (let entry = this.#entries[this.#head]; entry !== undefined && entry.position <= position; ) {
      this.take(entry.id);
      entry = this.#entries[this.#head];
    }
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#size = 0;
    this.#highest = 0;
    this.#index = undefined;
    this.#awaited.clear();
  }

  /** Every entry, oldest first. */
  *values(): Generator<Waiting> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry;
  }

  #placeOf(id: string): number | undefined {
    if (this.#index === undefined) {
      this.#index = new Map();
      for (const [place, entry] of this.#entries.entries()) if (entry !== undefined) this.#index.set(entry.id, place);
    }
    return this.#index.get(id);
  }

  /** Keeps the oldest entry at the head, and bounds the places before it. */
  #tidy(): void {
    if (this.#size === 0) {
      this.#entries = [];
      this.#head = 0;
      this.#index = undefined;
      return;
    }
    while (this.#entries[this.#head] === undefined) this.#head++;
    if (this.#head < SLACK || this.#head < this.#entries.length / 2) return;
    // In place: a discarded array retains what it held until the next full collection.
    this.#entries.splice(0, this.#head);
    this.#head = 0;
    this.#index = undefined;
  }
}

function postpone(entry: Waiting): void {
  entry.attempt++;
  const { redeliveryMs, laterRedeliveryMs } = MAILBOX_LIMITS;
  const step = redeliveryMs[entry.attempt];
  entry.dueAt = step === undefined ? entry.dueAt + laterRedeliveryMs : entry.since + step;
}
