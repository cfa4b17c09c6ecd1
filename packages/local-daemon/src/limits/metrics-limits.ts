/** Bounds of what the daemon measures; no option changes them. */
export const METRICS_LIMITS = {
  /** Length of one entry of the last hour. */
  minuteMs: 60_000,
  /** How many minutes are kept. */
  minutes: 60,
  /** Upper bounds of the buckets of latencies within the daemon, in ms. */
  latencyBucketsMs: [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000],
  /** Upper bounds of the buckets of what takes as long as agents do, in ms. */
  durationBucketsMs: [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000],
  /** Principals whose stored bytes are stated, those with most of them. */
  principals: 100,
} as const;
