/** Bounds and times of agents' processes; no option changes them. The others are in `SessionLimits` and `LIMITS`. */
export const AGENT_LIMITS = {
  /** How long agents may take to end an interrupted turn when the daemon stops. */
  drainInterruptMs: 1_000,
  /** How long `ps` may take where there is no `/proc`. */
  psTimeoutMs: 2_000,
  /** Files of `/proc` read at a time: enough to keep the thread pool busy, few enough to leave room for other work. */
  procReadsAtOnce: 16,
  /** Pause between two checks whether a killed process is gone, and the longest wait. */
  gonePollMs: 5,
  goneWaitMs: 2_000,
  /** Scans for what a dead agent left: a process may fork during a scan, and the next one finds the child. */
  sweepRounds: 4,
  /** Warnings about one agent that are all logged; after these, only the 32nd, 64th, 128th and so on. */
  warningsInFull: 20,
} as const;
