import { JOURNAL_LIMITS } from "../limits/index.js";

/** Divides entries into segments of at most `segmentEntries`, each of which ends with the entry that reaches `segmentChars`. */
export function segmentsOf(entries: readonly string[]): (readonly string[])[] {
  const segments: (readonly string[])[] = [];
  for (let start = 0; start < entries.length; ) {
    const end = endOfSegment(entries, start);
    segments.push(entries.slice(start, end));
    start = end;
  }
  return segments;
}

function endOfSegment(entries: readonly string[], start: number): number {
  const most = Math.min(entries.length, start + JOURNAL_LIMITS.segmentEntries);
  let chars = 0;
  let at = start;
  while (at < most && chars < JOURNAL_LIMITS.segmentChars) chars += entries[at++]?.length ?? 0;
  return at;
}
