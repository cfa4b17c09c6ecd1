import type { Logger } from "@daemon-sdk/protocol";
import { LOOP_LIMITS } from "../limits/index.js";
import { LOOP, type LoopListener, type LoopReport } from "./loop-watch.js";

/** Options of {@link LagLog}. */
export interface LagLogOptions {
  readonly logger: Logger;
  /** Lag past which a warning is logged, in ms. */
  readonly loopLagMs: number;
  /** Called with each report. */
  onLag?(ms: number): void;
  /** Where the reports come from. Default: the watch of this thread's loop. */
  listen?(listener: LoopListener): () => void;
}

/**
 * Reports the lag of the loop: as a number for `/health`, and past a bound as a warning in the log with what held the loop, at
 * most one in `LOOP_LIMITS.warnMs`. Call {@link close} at the end.
 */
export class LagLog {
  /** Stops listening. */
  readonly close: () => void;
  readonly #options: LagLogOptions;
  /** Lags of the last reports, the newest last. */
  #recent: number[] = [];
  #sinceWarning = Number.POSITIVE_INFINITY;
  #stalls = 0;

  constructor(options: LagLogOptions) {
    this.#options = options;
    const listen = options.listen ?? ((listener) => LOOP.listen(listener));
    this.close = listen((report) => this.#onReport(report));
  }

  /** The longest lag of about the last `LOOP_LIMITS.recentReports` seconds, in whole ms. */
  get lagMs(): number {
    return Math.round(Math.max(0, ...this.#recent));
  }

  #onReport(report: LoopReport): void {
    this.#recent = [...this.#recent.slice(1 - LOOP_LIMITS.recentReports), report.lagMs];
    this.#options.onLag?.(report.lagMs);
    this.#sinceWarning += LOOP_LIMITS.reportMs;
    if (report.lagMs < this.#options.loopLagMs) return;
    this.#stalls++;
    if (this.#sinceWarning < LOOP_LIMITS.warnMs) return;
    const fields = { lagMs: Math.round(report.lagMs), stalls: this.#stalls, causes: causesOf(report) };
    this.#options.logger.warn(fields, "the event loop was held: nobody was served meanwhile");
    this.#sinceWarning = 0;
    this.#stalls = 0;
  }
}

/** Work that held the loop for a part of the lag that matters; else what is known instead. */
function causesOf({ lagMs, uses, cpuMs }: LoopReport): string[] {
  const large = uses.filter(({ ms }) => ms >= lagMs / LOOP_LIMITS.causeShare).slice(0, LOOP_LIMITS.namedCauses);
  if (large.length > 0) return large.map(({ what, ms }) => `${what}: ${Math.round(ms)} ms`);
  // A process that was stopped, or that shares too few processors, is late without having done anything.
  return cpuMs < lagMs / 2 ? ["the process got little processor time: the machine is busy, or it was stopped"] : [];
}
