/** Bounds and times of the daemon's own process: its start, its files, its log. No option changes them. */
export const PROCESS_LIMITS = {
  /** Start of a daemon to its first answer, as `ensureLocalDaemon` waits for it. */
  startMs: 30_000,
  /** Time for a daemon to prove itself; after it the daemon counts as dead (docs/wire/session.md#local-daemon). */
  probeMs: 2_000,
  /**
   * Pause between two checks for a starting daemon: this share of the time waited so far, within these bounds. So the daemon
   * is found at most an eighth late where the file system does not notify.
   */
  pollShare: 1 / 8,
  pollMs: 4,
  pollMaxMs: 100,
  /** The shortest pause where the file system notifies: each check takes the processor from the daemon that starts. */
  watchedPollMs: 50,
  /** How long others wait for a starting daemon before one of them starts another: the launcher may have been killed. */
  launchTurnMs: 1_000,
  /** Starts of a plain daemon before giving up, each after the first on another port (docs/wire/session.md#local-daemon). */
  startAttempts: 3,
  /** Wait for the lock of a state directory: long enough when two starters each hold one of its two parts, short enough to detect an owner. */
  lockMs: 250,
  /** Pause before a daemon whose NATS servers could not be reached tries again to join its fleet. */
  joinAgainMs: 5_000,
  /** Time between two checks that the daemon's socket exists: an unreachable daemon ends itself. */
  reachableCheckMs: 10_000,
  /** Bytes of a trial write before a start: more than a page of the store. */
  diskCheckBytes: 256 * 1024,
  /** Largest size of small files that are read whole; a larger one is not ours. */
  privateFileBytes: 64 * 1024,
  /** Start to the first line of the log: a client that started the daemon has its first answer within this time. */
  logAfterMs: 200,
  /** Start to the loading of the session wire in a daemon that nobody connected to. */
  preloadAfterMs: 100,
  /** Size over which the log is rotated. */
  logBytes: 16 * 1024 * 1024,
  /** Bytes of log lines that wait while the disk is full; later lines are dropped. */
  logWaitingBytes: 256 * 1024,
  /** End of the log that an error of a failed start shows: enough for the last error and its context. */
  logTailBytes: 4 * 1024,
} as const;
