import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds of journals and their cursors; no option changes them. The configurable ones are in `SessionLimits`. */
export const JOURNAL_LIMITS = {
  /** Entries in one stored segment: ≈ 30 µs a segment of 64, ≈ 10 µs an entry alone. As many as one batch may hold. */
  segmentEntries: 256,
  /** Texts of one segment, in UTF-16 units: its last entry may be larger. */
  segmentChars: 64 * 1024,
  /** Entries of one batch: a quarter of a client's window. */
  batchEntries: 256,
  /** Texts of one batch, in UTF-16 units: what a socket writes at once. Its last entry may be larger. */
  batchChars: 64 * 1024,
  /** Bytes read from the store at a time for a lagging reader, which holds one page in memory. */
  readPageBytes: 256 * 1024,
  /** Entries kept in memory for cursors that wait for credit, of all sessions, in UTF-16 units: windows of a hundred clients. */
  recentChars: 32 * 1024 * 1024,
  /** The same of one journal: some windows of a client. */
  recentJournalChars: 4 * 1024 * 1024,
  /**
   * Entries that are larger on average are read from the store: few of them are a client's window, and a read costs little beside
   * sending them. Kept for a second each, they would be the work of the garbage collector.
   */
  recentEntryChars: 16 * 1024,
  /** How far such a cursor may be behind: one that is not read at all must not take the room of the others. */
  recentReachEntries: 4_096,
  /** Entries of these that are read at a time: as many as a client's window. */
  recentRunEntries: 1_024,
  /** Entries of one session that could not be stored and wait for cursors that lag, in UTF-16 units. */
  unstoredBytes: 256 * 1024,
  /** Stored entries and characters between two checks of a journal's retention, and the shortest time: a check costs a query. */
  pruneLookEntries: 1_024,
  pruneLookChars: 1024 * 1024,
  pruneLookMs: 1_000,
  /** Segments that such a check reads at a time: some 0.1 ms, and 1 ms where each has pages of its own. */
  pruneLookSegments: 32,
  /** Time after which such a check waits for its next slice of the loop (`BackgroundSlices`). */
  pruneLookSliceMs: 1,
  /** Shortest pause between two checks as a multiple of the time that one took: a long journal is not checked all the time. */
  pruneLookShare: 10,
  /** Bytes of a journal that one commit drops, some 2 ms. What is more goes in the next ones, and others are served between them. */
  pruneBytes: 2 * 1024 * 1024,
  /** Credit of one cursor, in events and in bytes: more than any client needs, and sums stay within what every number type counts. */
  creditMax: 2 ** 31,
  /** Largest entry: a message of the wire without what an early copy, or an answer that holds the entry, has beside it. */
  entryBytes: LIMITS.sessionFrameBytes - 64 * 1024,
  /** Largest request to the user: a list of requests holds half a message of the wire, and each has to fit into it. */
  requestBytes: LIMITS.sessionFrameBytes / 2 - 64 * 1024,
  /** What stays of a text in an entry that is too large: more than a person reads, and 63 of them fit. */
  cutTextBytes: 256 * 1024,
  /** Longest trace context that an agent may add to an entry, in UTF-16 units; W3C asks for 512 of `tracestate`. */
  traceChars: 4_096,
} as const;
