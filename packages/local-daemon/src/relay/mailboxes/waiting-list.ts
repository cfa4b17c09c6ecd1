/** An entry that was delivered, and waits for its ACK. */
export interface Waiting {
  readonly id: string;
  readonly position: number;
  readonly bytes: number;
  /** When it was delivered to the present readers first, Unix milliseconds. */
  readonly since: number;
  /** Redeliveries since then. */
  attempt: number;
  dueAt: number;
}

/** Places before the first entry that are given back in one go. */
const SLACK = 1_024;

/**
 * The entries of a mailbox that wait for their ACKs, by position. An ACK of the oldest one, which nearly every ACK is,
 * costs a comparison; the first one out of order makes an index, which stays until the list is empty.
 */
export class WaitingList {
  #entries: (Waiting | undefined)[] = [];
  /** Where the oldest one is. */
  #head = 0;
  #size = 0;
  #highest = 0;
  /** Places by id. */
  #index: Map<string, number> | undefined;

  get size(): number {
    return this.#size;
  }

  /** The newest position that was ever added since the last {@link clear}; everything up to it was delivered. */
  get highest(): number {
    return this.#highest;
  }

  /** Adds an entry; its position is above all others. */
  add(entry: Waiting): void {
    this.#index?.set(entry.id, this.#entries.length);
    this.#entries.push(entry);
    this.#size++;
    this.#highest = entry.position;
  }

  /** Takes an entry out. Undefined when it does not wait. */
  take(id: string): Waiting | undefined {
    const oldest = this.#entries[this.#head];
    const place = oldest?.id === id ? this.#head : this.#placeOf(id);
    const entry = place === undefined ? undefined : this.#entries[place];
    if (place === undefined || entry === undefined) return undefined;
    this.#entries[place] = undefined;
    this.#index?.delete(id);
    this.#size--;
    this.#tidy();
    return entry;
  }

  /** Takes out everything up to `position`. */
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

  /** The oldest entry is always at the head, and places before it do not pile up. */
  #tidy(): void {
    if (this.#size === 0) {
      this.#entries = [];
      this.#head = 0;
      this.#index = undefined;
      return;
    }
    while (this.#entries[this.#head] === undefined) this.#head++;
    if (this.#head < SLACK || this.#head < this.#entries.length / 2) return;
    // In place: an array that is left behind keeps what it held until the next full collection.
    this.#entries.splice(0, this.#head);
    this.#head = 0;
    this.#index = undefined;
  }
}
