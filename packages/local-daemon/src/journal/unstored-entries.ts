import { JOURNAL_LIMITS } from "../limits/index.js";
import type { EntryRun } from "../storage/index.js";
import { isFreeEntry } from "./journal-frame.js";

interface Part {
  readonly firstSeq: number;
  readonly entries: readonly string[];
}

/**
 * Entries that could not be stored, for cursors that lag: a full disk must not hide the end of a turn from a client that reads
 * slowly.
 *
 * Above a bound the oldest entries are dropped, but for those that must not wait: requests, ends, and notices. A cursor that
 * comes to a gap sends them before it reports the gap.
 */
export class UnstoredEntries {
  #parts: Part[] = [];
  #bytes = 0;
  /** Parts before this one hold only what is kept above the bound. */
  #thinned = 0;

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** Adds the entries of a commit that failed; they follow what was added before. */
  add(firstSeq: number, entries: readonly string[]): void {
    this.#parts.push({ firstSeq, entries });
    this.#bytes += bytesOf(entries);
    while (this.#bytes > JOURNAL_LIMITS.unstoredBytes && this.#parts.length > 0) this.#shrink();
  }

  /** The first run of entries at or after a position; undefined when there is none. */
  from(seq: number): Omit<EntryRun, "epoch"> | undefined {
    const part = this.#parts.find(({ firstSeq, entries }) => firstSeq + entries.length > seq);
    if (part === undefined) return undefined;
    const skipped = Math.max(0, seq - part.firstSeq);
    return { firstSeq: part.firstSeq + skipped, entries: part.entries.slice(skipped) };
  }

  /** Drops what ends before a position: every cursor is past it. */
  dropBefore(seq: number): void {
    const kept = this.#parts.findIndex(({ firstSeq, entries }) => firstSeq + entries.length > seq);
    const dropped = this.#parts.splice(0, kept === -1 ? this.#parts.length : kept);
    for (const { entries } of dropped) this.#bytes -= bytesOf(entries);
    this.#thinned = Math.max(0, this.#thinned - dropped.length);
  }

  /** Drops the oldest part that is whole, but for what has to stay; without one, the oldest. */
  #shrink(): void {
    const whole = this.#parts[this.#thinned];
    if (whole === undefined) {
      this.#bytes -= bytesOf(this.#parts.shift()?.entries ?? []);
      this.#thinned = this.#parts.length;
      return;
    }
    const kept = lastingParts(whole);
    this.#parts.splice(this.#thinned, 1, ...kept);
    this.#bytes += kept.reduce((sum, { entries }) => sum + bytesOf(entries), 0) - bytesOf(whole.entries);
    this.#thinned += kept.length;
  }
}

/** What of a part must not be dropped, one part for each entry. */
function lastingParts(part: Part): Part[] {
  return part.entries.flatMap((entry, index) =>
    isFreeEntry(entry) ? [{ firstSeq: part.firstSeq + index, entries: [entry] }] : [],
  );
}

/** UTF-16 units: a lower bound of the bytes, which costs nothing. */
function bytesOf(entries: readonly string[]): number {
  return entries.reduce((sum, entry) => sum + entry.length, 0);
}
