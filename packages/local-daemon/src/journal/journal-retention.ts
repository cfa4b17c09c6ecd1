import type { SessionLimits } from "../limits/index.js";
import type { SegmentInfo } from "../storage/index.js";

/** What decides, beside its bounds, how much of a journal stays. */
export interface RetentionQuestion {
  readonly now: number;
  /** First entry of the turn that runs; undefined when none does. */
  readonly turnFirstSeq?: number | undefined;
}

/** Bounds of what stays. */
export type RetentionLimits = Pick<
  SessionLimits,
  "journalKeepMs" | "journalKeepBytes" | "journalOldEntries" | "journalOldBytes"
>;

/**
 * Finds the position before which a journal may be dropped, from its segments, which come slice by slice, newest first.
 *
 * The running turn and what is younger than `journalKeepMs` stay up to `journalKeepBytes`; what is older stays within
 * `journalOldEntries` and `journalOldBytes`. Segments are whole; the newest always stays.
 */
export class RetentionScan {
  readonly #question: RetentionQuestion;
  readonly #limits: RetentionLimits;
  #segments = 0;
  #keptBytes = 0;
  #oldBytes = 0;
  #oldEntries = 0;

  constructor(question: RetentionQuestion, limits: RetentionLimits) {
    this.#question = question;
    this.#limits = limits;
  }

  /** Takes the next older segments. Returns the position once one of them does not fit; undefined while all stay. */
  take(segments: readonly SegmentInfo[]): number | undefined {
    for (const segment of segments) {
      this.#count(segment);
      if (!this.#fits && this.#segments > 1) return segment.lastSeq + 1;
    }
    return undefined;
  }

  #count({ firstSeq, lastSeq, bytes, createdAt }: SegmentInfo): void {
    const { now, turnFirstSeq = Number.POSITIVE_INFINITY } = this.#question;
    this.#segments++;
    if (lastSeq >= turnFirstSeq || now - createdAt < this.#limits.journalKeepMs) this.#keptBytes += bytes;
    else {
      this.#oldBytes += bytes;
      this.#oldEntries += lastSeq - firstSeq + 1;
    }
  }

  get #fits(): boolean {
    const { journalKeepBytes, journalOldBytes, journalOldEntries } = this.#limits;
    return (
      this.#keptBytes <= journalKeepBytes && this.#oldBytes <= journalOldBytes && this.#oldEntries <= journalOldEntries
    );
  }
}
