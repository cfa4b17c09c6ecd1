import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { MetricMinute } from "@daemon-sdk/protocol";
import { METRICS_LIMITS } from "../limits/index.js";

/** Options of {@link MinuteRing}. */
export interface MinuteRingOptions {
  readonly now: () => number;
  /** Resident memory of the process in bytes. Default: as the kernel states it. */
  rssBytes?(): number;
}

/** What the daemon was like in its last hour, minute by minute. Call {@link close} at the end. */
export class MinuteRing {
  readonly #now: () => number;
  readonly #rssBytes: () => number;
  readonly #past: MetricMinute[] = [];
  readonly #latency: RecordableHistogram = createHistogram();
  #startedAt: number;
  #events = 0;
  #turns = 0;
  #lagMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ now, rssBytes = () => process.memoryUsage.rss() }: MinuteRingOptions) {
    this.#now = now;
    this.#rssBytes = rssBytes;
    this.#startedAt = now();
  }

  /** Begins a new minute each minute. Without it {@link turn} does. */
  start(): void {
    this.#timer ??= setInterval(() => this.turn(), METRICS_LIMITS.minuteMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A transaction with so many entries was delivered, so long after the first of them came up. */
  delivered(events: number, latencyMs: number): void {
    this.#events += events;
    // The histogram counts whole numbers from 1 on: microseconds.
    this.#latency.record(Math.max(1, Math.round(latencyMs * 1000)));
  }

  turnEnded(): void {
    this.#turns++;
  }

  /** The longest lag of the loop within the last second or so. */
  lagged(ms: number): void {
    this.#lagMs = Math.max(ms, this.#lagMs ?? 0);
  }

  /** The kept minutes, oldest first, and the one that runs. */
  minutes(): MetricMinute[] {
    return [...this.#past, this.#present()];
  }

  /** Ends the minute that runs. */
  turn(): void {
    this.#past.push(this.#present());
    // The one that runs is listed, too.
    if (this.#past.length >= METRICS_LIMITS.minutes) this.#past.shift();
    this.#startedAt = this.#now();
    this.#events = 0;
    this.#turns = 0;
    this.#lagMs = undefined;
    this.#latency.reset();
  }

  #present(): MetricMinute {
    const measured = this.#latency.count > 0;
    return {
      at: this.#startedAt,
      durationMs: Math.max(0, this.#now() - this.#startedAt),
      events: this.#events,
      turns: this.#turns,
      ...(measured ? { latencyP50Ms: this.#percentile(50), latencyP99Ms: this.#percentile(99) } : {}),
      ...(this.#lagMs === undefined ? {} : { loopLagMs: Math.round(this.#lagMs) }),
      rssBytes: this.#rssBytes(),
    };
  }

  #percentile(percent: number): number {
    return this.#latency.percentile(percent) / 1000;
  }
}
