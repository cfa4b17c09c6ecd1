/** One measured value, or one histogram, of a {@link Metric}. */
export interface MetricSample {
  /** What distinguishes this sample from the others of its metric; absent where there is one only. */
  labels?: Record<string, string>;
  /** The value; of a histogram the sum of all observations. */
  value: number;
  /** Histograms: how many observations there were. */
  count?: number;
  /** Histograms: how many observations were at most `le`. The last bucket is not listed: it is `count`. */
  buckets?: { le: number; count: number }[];
}

/** A metric of the daemon under its name of the Prometheus exposition, in base units (seconds, bytes). */
export interface Metric {
  name: string;
  type: "counter" | "gauge" | "histogram";
  /** What it counts, for people. */
  help: string;
  samples: MetricSample[];
}

/** What one minute of the daemon was like. A field is absent where nothing was measured. */
export interface MetricMinute {
  /** Start of the minute, in ms since 1970. */
  at: number;
  /** Length of the minute in ms: less than 60 000 for the one that runs. */
  durationMs: number;
  /** Journal entries that were committed. */
  events: number;
  /** Turns that ended. */
  turns: number;
  /** From the first entry of a transaction to its delivery, in ms: half of the transactions took at most so long. */
  latencyP50Ms?: number;
  /** As `latencyP50Ms`, of 99 in 100. */
  latencyP99Ms?: number;
  /** Longest time for which the event loop was held, in ms. */
  loopLagMs?: number;
  /** Resident memory of the daemon's process at the end of the minute, in bytes. */
  rssBytes: number;
}

/** What the daemon has counted since its start, and its last hour. */
export interface GetMetricsResult {
  /** When this was read, in ms since 1970. */
  at: number;
  /** When the daemon started, in ms since 1970. */
  startedAt: number;
  metrics: Metric[];
  /** The last 60 minutes, oldest first; the last one still runs. */
  minutes: MetricMinute[];
}
