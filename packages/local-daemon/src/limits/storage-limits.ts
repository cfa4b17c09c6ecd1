/** Bounds of the store; no option changes them. */
export const STORAGE_LIMITS = {
  /** Segments of journals that no run indexes yet: a start after a crash scans them, ≈ 2 µs each. */
  journalFreshRows: 32_768,
  /** The same of mailboxes: every reader of one scans all of them, ≈ 15 µs. */
  mailboxFreshRows: 256,
  /** Size of the write-ahead log at which it is checkpointed, if no reader prevents it. */
  checkpointBytes: 4 * 1024 * 1024,
  /**
   * Size of the write-ahead log at which commits wait for the rest of a checkpoint, some 10 ms: only a log that is checkpointed
   * to its end begins anew.
   */
  walHoldBytes: 64 * 1024 * 1024,
  /** How long one connection to the store waits for a lock of the other: they hold locks for some microseconds. */
  busyMs: 1_000,
  /** Heap of the thread that checkpoints: its work is SQLite's. */
  checkpointHeapMb: 16,
  /** Size to which the write-ahead log is truncated after a checkpoint. */
  walBytes: 64 * 1024 * 1024,
  /**
   * Page of a new database file. Journals are written one row after another, so a checkpoint of a few large pages writes what
   * one of many small pages does, in fewer pieces, and every commit waits for it (L3: p99 17 to 25 ms instead of 21 to 34). A
   * commit that changes one page takes some 4 µs longer than with pages of 4 KiB.
   */
  databasePageBytes: 16 * 1024,
  /** Sessions whose runs of rows are indexed in one transaction, some 1 ms: other commits wait that long at most. */
  indexStepSessions: 128,
  /** Longest indexed run: more rows of one journal become several runs, so that the cost of reading a run has a bound. */
  indexRunRows: 1_024,
  /** Largest file that a start after a kill checks for damage: some 0.5 ms a MiB. A larger one is checked once a read met damage. */
  checkBytes: 256 * 1024 * 1024,
  /** Places of one damaged table at which a row is looked for: each takes some 50 µs. */
  salvageProbes: 200_000,
  /** Time between two looks whether the file is still the one that was opened. */
  fileCheckMs: 2_000,
  /** Time after which a commit looks itself. */
  commitCheckMs: 100,
  /** Messages of one slice of a copied conversation, and bytes after which it takes no further one: a slice takes some 1.5 ms. */
  copyMessages: 16,
  copyBytes: 64 * 1024,
  /** Largest file of an earlier version that a start writes anew, so that it can shrink: some 10 ms a MiB. */
  rewriteBytes: 256 * 1024 * 1024,
  /** Bytes of free pages that stay in the file when it shrinks: journals that are pruned and written use them again. */
  freeBytes: 8 * 1024 * 1024,
  /** Bytes by which the file shrinks at a time, some 2 ms. */
  shrinkBytes: 1024 * 1024,
  /** Rows of a deleted session that are dropped in one transaction, some 2 ms. */
  dropRows: 128,
  /** Bytes of a large prompt that are stored in one transaction, some 2 ms. */
  promptSliceBytes: 512 * 1024,
  /** Segments behind the counters of stored bytes, and their bytes: a start after a kill reads them, some 2 ms. */
  uncountedRows: 1_024,
  uncountedBytes: 4 * 1024 * 1024,
  /** Sessions of which is remembered whose they are, some 200 bytes each. */
  countedSessions: 16_384,
  /** Messages of one slice of the feed, and bytes after which it takes no further one: reading a slice takes some 1 ms. */
  feedMessages: 64,
  feedBytes: 256 * 1024,
} as const;
