/** Bounds of journals and their cursors; no option changes them. The configurable ones are in `SessionLimits`. */
export const JOURNAL_LIMITS = {
  /** Entries in one stored segment: ≈ 30 µs a segment of 64, ≈ 10 µs an entry alone. */
  segmentEntries: 64,
  /** Bytes read from the store at a time for a lagging reader, which holds one page in memory. */
  readPageBytes: 256 * 1024,
  /** Entries of one session that could not be stored and wait for cursors that lag, in UTF-16 units. */
  unstoredBytes: 256 * 1024,
  /** Stored entries and characters between two checks of a journal's retention, and the shortest time: a check costs a query. */
  pruneLookEntries: 1_024,
  pruneLookChars: 1024 * 1024,
  pruneLookMs: 1_000,
  /** Credit of one cursor, in events and in bytes: more than any client needs, and sums stay within what every number type counts. */
  creditMax: 2 ** 31,
} as const;
