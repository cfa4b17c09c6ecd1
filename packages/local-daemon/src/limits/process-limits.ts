/** Bounds of the daemon's own process: its start, its files, its log. No option changes them. */
export const PROCESS_LIMITS = {
  /** Start to the first line of the log: a client that started the daemon has its first answer within this time. */
  logAfterMs: 200,
  /** Bytes of log lines that wait for room on the disk; later ones are dropped. */
  logWaitingBytes: 256 * 1024,
  /** End of the log that an error of a failed start shows: enough for the last error and what led to it. */
  logTailBytes: 4 * 1024,
  /** Written on trial before a start: a disk that takes more than a page of the store has room. */
  diskCheckBytes: 256 * 1024,
  /** Largest of the small files that are read whole; a larger one is not ours. */
  privateFileBytes: 64 * 1024,
  /** Pause between two looks for a daemon that starts, per time waited so far: it is found an eighth too late at most. */
  startPollShare: 1 / 8,
} as const;
