import { JOURNAL_LIMITS } from "../limits/index.js";
import type { EntryRun } from "../storage/index.js";

interface Part {
  readonly firstSeq: number;
  readonly entries: readonly string[];
  readonly chars: number;
  readonly owner: RecentEntries;
  isDropped: boolean;
}

/**
 * How much the journals of a daemon keep in memory for cursors that lag, altogether. Above `JOURNAL_LIMITS.recentChars` the oldest
 * entries are dropped, whosever they are: the store has them.
 */
export class RecentBudget {
  #parts: Part[] = [];
  #first = 0;
  #chars = 0;
  readonly #maxChars: number;

  constructor(maxChars: number = JOURNAL_LIMITS.recentChars) {
    this.#maxChars = maxChars;
  }

  /** What is kept now, in UTF-16 units. */
  get chars(): number {
    return this.#chars;
  }

  /** Counts a part, and drops older ones for it. */
  add(part: Part): void {
    this.#parts.push(part);
    this.#chars += part.chars;
    while (this.#chars > this.#maxChars) this.#dropOldest();
  }

  /** A part is dropped by its owner. */
  release(part: Part): void {
    part.isDropped = true;
    this.#chars -= part.chars;
    while (this.#parts[this.#first]?.isDropped) this.#first++;
    this.#compact();
  }

  #dropOldest(): void {
    const part = this.#parts[this.#first];
    if (part === undefined) return;
    // The oldest part of all is the oldest of its journal, too.
    part.owner.dropOldest();
  }

  #compact(): void {
    if (this.#first < 1_024 && this.#first < this.#parts.length) return;
    this.#parts = this.#parts.slice(this.#first);
    this.#first = 0;
  }
}

/**
 * The last entries of one journal that were committed while a cursor had no credit for them, or its connection was full.
 *
 * A client grants credit some hundred times a second, and each time its cursor goes on a few entries behind the journal's end. Without
 * this the cursor would read what was in memory a moment ago from the store.
 */
export class RecentEntries {
  readonly #budget: RecentBudget;
  #parts: Part[] = [];

  constructor(budget: RecentBudget) {
    this.#budget = budget;
  }

  /** Adds entries that were just committed. What does not follow the entries before it takes their place. */
  add(firstSeq: number, entries: readonly string[]): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && last.firstSeq + last.entries.length !== firstSeq)
      this.dropBefore(Number.POSITIVE_INFINITY);
    let chars = 0;
    for (const entry of entries) chars += entry.length;
    const part = { firstSeq, entries, chars, owner: this, isDropped: false };
    this.#parts.push(part);
    this.#budget.add(part);
  }

  /** Entries from exactly this one on, some hundred at most; undefined where that is not kept. */
  from(seq: number): Omit<EntryRun, "epoch"> | undefined {
    const [first] = this.#parts;
    if (first === undefined || seq < first.firstSeq) return undefined;
    const at = this.#parts.findIndex(({ firstSeq, entries }) => firstSeq + entries.length > seq);
    const part = this.#parts[at];
    if (part === undefined) return undefined;
    const entries = part.entries.slice(seq - part.firstSeq);
    for (const { entries: more } of this.#parts.slice(at + 1)) {
      if (entries.length >= JOURNAL_LIMITS.recentRunEntries) break;
      entries.push(...more);
    }
    return { firstSeq: seq, entries };
  }

  /** Drops what ends before a position: every cursor is past it. */
  dropBefore(seq: number): void {
    while (this.#parts[0] !== undefined && this.#parts[0].firstSeq + this.#parts[0].entries.length <= seq)
      this.dropOldest();
  }

  /** Drops the oldest part. */
  dropOldest(): void {
    const part = this.#parts.shift();
    if (part !== undefined) this.#budget.release(part);
  }
}
