import type { SessionLimits } from "../limits/index.js";
import type { SegmentInfo } from "../storage/index.js";

/** What decides how much of a journal stays. */
export interface RetentionQuestion {
  /** Every stored segment, newest first. */
  readonly segments: readonly SegmentInfo[];
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
 * The position before which a journal may be dropped; undefined when all of it stays.
 *
 * The running turn and what is younger than `journalKeepMs` stay up to `journalKeepBytes`; what is older stays within
 * `journalOldEntries` and `journalOldBytes`. Segments are whole; the newest always stays.
 */
export function pruneBefore(question: RetentionQuestion, limits: RetentionLimits): number | undefined {
  const { segments, now, turnFirstSeq = Number.POSITIVE_INFINITY } = question;
  let keptBytes = 0;
  let oldBytes = 0;
  let oldEntries = 0;
  for (const [index, { firstSeq, lastSeq, bytes, createdAt }] of segments.entries()) {
    const isKept = lastSeq >= turnFirstSeq || now - createdAt < limits.journalKeepMs;
    if (isKept) keptBytes += bytes;
    else {
      oldBytes += bytes;
      oldEntries += lastSeq - firstSeq + 1;
    }
    const fits =
      keptBytes <= limits.journalKeepBytes &&
      oldBytes <= limits.journalOldBytes &&
      oldEntries <= limits.journalOldEntries;
    if (!fits && index > 0) return lastSeq + 1;
  }
  return undefined;
}
