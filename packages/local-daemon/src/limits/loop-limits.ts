/** Times of the watch of the event loop; no option changes them. From which lag on it warns is in `DaemonLimits`. */
export const LOOP_LIMITS = {
  /** Time between two samples: a stall is measured up to this much too short, and an idle daemon wakes up as often. */
  sampleMs: 50,
  /** Time between two reports. */
  reportMs: 1_000,
  /** Reports of which `/health` states the longest lag. */
  recentReports: 10,
  /** Shortest time between two warnings. */
  warnMs: 10_000,
  /** Work is named as a cause if it held the loop for a quarter of the lag or more … */
  causeShare: 4,
  /** … and of such work the longest. */
  namedCauses: 3,
} as const;
