import { JOURNAL_LIMITS } from "../limits/index.js";
import type { EntryRun } from "../storage/index.js";

/** What a part counts for in the budget, which may know it for longer than the entries are kept. */
interface Share {
  readonly chars: number;
  readonly owner: RecentEntries;
  isDropped: boolean;
}

interface Part {
  readonly firstSeq: number;
  readonly entries: readonly string[];
  readonly share: Share;
}

/**
 * How much the journals of a daemon keep in memory for cursors that lag, altogether. Above `JOURNAL_LIMITS.recentChars` the oldest
 * entries are dropped, whosever they are: the store has them.
 */
export class RecentBudget {
  #shares: Share[] = [];
  /** Those before this one are dropped … */
  #first = 0;
  /** … and so many altogether. */
  #dropped = 0;
  #chars = 0;
  readonly #maxChars: number;

  constructor(maxChars: number = JOURNAL_LIMITS.recentChars) {
    this.#maxChars = maxChars;
  }

  /** What is kept now, in UTF-16 units. */
  get chars(): number {
    return this.#chars;
  }

  /** Counts a share, and drops older ones for it. */
  add(share: Share): void {
    this.#shares.push(share);
    this.#chars += share.chars;
    while (this.#chars > this.#maxChars) this.#dropOldest();
  }

  /** A part is dropped by its owner. */
  release(share: Share): void {
    share.isDropped = true;
    this.#chars -= share.chars;
    this.#dropped += 1;
    if (this.#dropped >= 1_024 && this.#dropped * 2 >= this.#shares.length) this.#compact();
  }

  #dropOldest(): void {
    while (this.#shares[this.#first]?.isDropped) this.#first++;
    // The oldest share of all is the oldest of its journal, too.
    this.#shares[this.#first]?.owner.dropOldest();
  }

  /** Not only from the beginning: a journal whose cursor stands still keeps its shares, while those of others come and go. */
  #compact(): void {
    this.#shares = this.#shares.filter(({ isDropped }) => !isDropped);
    this.#dropped = 0;
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
  #chars = 0;

  constructor(budget: RecentBudget) {
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /**
   * Adds entries that were just committed. What does not follow the entries before it takes their place; large ones are not kept
   * (`JOURNAL_LIMITS.recentEntryChars`).
   */
  add(firstSeq: number, entries: readonly string[]): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && last.firstSeq + last.entries.length !== firstSeq)
      this.dropBefore(Number.POSITIVE_INFINITY);
    let chars = 0;
    for (const entry of entries) chars += entry.length;
    if (chars > entries.length * JOURNAL_LIMITS.recentEntryChars) {
      this.dropBefore(Number.POSITIVE_INFINITY);
      return;
    }
    const share = { chars, owner: this, isDropped: false };
    this.#parts.push({ firstSeq, entries, share });
    this.#chars += chars;
    this.#budget.add(share);
    while (this.#chars > JOURNAL_LIMITS.recentJournalChars) this.dropOldest();
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
    if (part === undefined) return;
    this.#chars -= part.share.chars;
    this.#budget.release(part.share);
  }
}
