import { type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { LOOP_LIMITS } from "../limits/index.js";
import { addUse, countUses, type LoopUse, takeUses } from "./loop-use.js";

/** How late the loop was within one interval, and why. */
export interface LoopReport {
  /** Longest time for which nothing else could run, in ms; up to `LOOP_LIMITS.sampleMs` less than it was. */
  readonly lagMs: number;
  /** What held the loop in that interval, the longest first. */
  readonly uses: readonly LoopUse[];
  /** Processor time of the whole process in that interval, in ms. */
  readonly cpuMs: number;
}

/** Receives a report each `LOOP_LIMITS.reportMs`. */
export type LoopListener = (report: LoopReport) => void;

/**
 * Measures how late the event loop of this thread is. The loop belongs to the thread, and so does the one watch of it, which
 * several daemons of one process share. It runs while somebody listens, and does not keep the process alive.
 */
class LoopWatch {
  readonly #listeners = new Set<LoopListener>();
  #delays: IntervalHistogram | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cpu = process.cpuUsage();
  readonly #collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) addUse("garbage collection", duration);
  });

  /** Adds a listener; returns how to remove it. */
  listen(listener: LoopListener): () => void {
    this.#listeners.add(listener);
    if (this.#timer === undefined) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  #start(): void {
    countUses(true);
    this.#cpu = process.cpuUsage();
    this.#delays = monitorEventLoopDelay({ resolution: LOOP_LIMITS.sampleMs });
    this.#delays.enable();
    this.#collections.observe({ entryTypes: ["gc"] });
    this.#timer = setInterval(() => this.#report(), LOOP_LIMITS.reportMs).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#delays?.disable();
    this.#collections.disconnect();
    countUses(false);
  }

  #report(): void {
    const lagMs = this.#takeLag();
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    const report = { lagMs, uses: takeUses(), cpuMs: (user + system) / 1000 };
    for (const listener of this.#listeners) listener(report);
  }

  /** Each sample is the time from one timer of the histogram to the next: the interval, and how late the second was. */
  #takeLag(): number {
    const { max = 0 } = this.#delays ?? {};
    this.#delays?.reset();
    return Math.max(0, max / 1e6 - LOOP_LIMITS.sampleMs);
  }
}

/** The watch of this thread's loop. */
export const LOOP = /* @__PURE__ */ new LoopWatch();
