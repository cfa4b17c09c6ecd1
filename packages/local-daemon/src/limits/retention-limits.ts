/** Times of retention; no option changes them. What is kept is in the configuration (`retention`). */
export const RETENTION_LIMITS = {
  /** Time from the start to the first look: a start has other work. */
  firstMs: 60_000,
  /** Time between two looks. Whole days are configured, so an hour is soon enough. */
  everyMs: 60 * 60_000,
  /** Sessions that are looked up at a time, some 1 ms. */
  pageSessions: 64,
  /** Pause after each deleted session: others need the loop and the disk more than retention does. */
  pauseMs: 5,
} as const;
