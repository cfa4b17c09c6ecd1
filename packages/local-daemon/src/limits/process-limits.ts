/** Bounds and times of the daemon's own process: its start, its files, its log. No option changes them. */
export const PROCESS_LIMITS = {
  /** Start of a daemon to its first answer, as `ensureLocalDaemon` waits for it. */
  startMs: 30_000,
  /** Time for a daemon to prove that it is there; one that needs longer is as good as gone (docs/wire/session.md#local-daemon). */
  probeMs: 2_000,
  /**
   * Pause between two looks for a daemon that starts: this share of the time waited so far, so that it is found an eighth too
   * late at most, within these bounds. A start takes about 80 ms.
   */
  pollShare: 1 / 8,
  pollMs: 4,
  pollMaxMs: 100,
  /** Start of a daemon that others wait for before one of them starts another: its launcher may have been killed. */
  launchTurnMs: 1_000,
  /** Starts of a plain daemon before giving up, each after the first on another port (docs/wire/session.md#local-daemon). */
  startAttempts: 3,
  /** Wait for the lock of a state directory: long enough when two starters each hold half of it, short enough to find an owner. */
  lockMs: 250,
  /** Time between two checks whether the daemon's socket is still there: a daemon that cannot be reached ends itself. */
  reachableCheckMs: 10_000,
  /** Written on trial before a start: a disk that takes more than a page of the store has room. */
  diskCheckBytes: 256 * 1024,
  /** Largest of the small files that are read whole; a larger one is not ours. */
  privateFileBytes: 64 * 1024,
  /** Start to the first line of the log: a client that started the daemon has its first answer within this time. */
  logAfterMs: 200,
  /** Size past which the log is put aside, beside the one before it. */
  logBytes: 16 * 1024 * 1024,
  /** Bytes of log lines that wait for room on the disk; later ones are dropped. */
  logWaitingBytes: 256 * 1024,
  /** End of the log that an error of a failed start shows: enough for the last error and what led to it. */
  logTailBytes: 4 * 1024,
} as const;
