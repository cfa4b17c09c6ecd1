import { JOURNAL_LIMITS } from "../limits/index.js";
import type { FrameRun } from "../storage/index.js";
import { isFreeFrame } from "./journal-frame.js";

interface Part {
  readonly firstSeq: number;
  readonly frames: readonly string[];
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
  add(firstSeq: number, frames: readonly string[]): void {
    this.#parts.push({ firstSeq, frames });
    this.#bytes += bytesOf(frames);
    while (this.#bytes > JOURNAL_LIMITS.unstoredBytes && this.#parts.length > 0) this.#shrink();
  }

  /** The first run of entries at or after a position; undefined when there is none. */
  from(seq: number): FrameRun | undefined {
    const part = this.#parts.find(({ firstSeq, frames }) => firstSeq + frames.length > seq);
    if (part === undefined) return undefined;
    const skipped = Math.max(0, seq - part.firstSeq);
    return { firstSeq: part.firstSeq + skipped, frames: part.frames.slice(skipped) };
  }

  /** Drops what ends before a position: every cursor is past it. */
  dropBefore(seq: number): void {
    const kept = this.#parts.findIndex(({ firstSeq, frames }) => firstSeq + frames.length > seq);
    const dropped = this.#parts.splice(0, kept === -1 ? this.#parts.length : kept);
    for (const { frames } of dropped) this.#bytes -= bytesOf(frames);
    this.#thinned = Math.max(0, this.#thinned - dropped.length);
  }

  /** Drops the oldest part that is whole, but for what has to stay; without one, the oldest. */
  #shrink(): void {
    const whole = this.#parts[this.#thinned];
    if (whole === undefined) {
      this.#bytes -= bytesOf(this.#parts.shift()?.frames ?? []);
      this.#thinned = this.#parts.length;
      return;
    }
    const kept = lastingParts(whole);
    this.#parts.splice(this.#thinned, 1, ...kept);
    this.#bytes += kept.reduce((sum, { frames }) => sum + bytesOf(frames), 0) - bytesOf(whole.frames);
    this.#thinned += kept.length;
  }
}

/** What of a part must not be dropped, one part for each entry. */
function lastingParts(part: Part): Part[] {
  return part.frames.flatMap((frame, index) =>
    isFreeFrame(frame) ? [{ firstSeq: part.firstSeq + index, frames: [frame] }] : [],
  );
}

/** UTF-16 units: a lower bound of the bytes, which costs nothing. */
function bytesOf(frames: readonly string[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}
