import type { Logger } from "@daemon-sdk/protocol";
import type { KeyPolicies } from "./access/index.js";
import type { DaemonLimits } from "./limits/index.js";
import { LagLog } from "./loop/index.js";
import { DaemonMetrics } from "./metrics/index.js";
import { TurnReports } from "./turn-reports.js";

/** Options of {@link Observation}. */
export interface ObservationOptions {
  readonly logger: Logger;
  readonly policies: KeyPolicies;
  readonly now: () => number;
  readonly limits: Pick<DaemonLimits, "loopLagMs">;
  /** False when the daemon is a part of a program: the loop is that program's, and nobody looks at the last hour. */
  readonly ownsLoop: boolean;
}

/** How a daemon observes itself: its counts, its last hour, the lag of its loop, and the reports of its turns. */
export class Observation {
  readonly metrics: DaemonMetrics;
  readonly turns: TurnReports;
  readonly #lag: LagLog | undefined;

  constructor({ logger, policies, now, limits, ownsLoop }: ObservationOptions) {
    this.metrics = new DaemonMetrics({ now });
    this.turns = new TurnReports({ logger, metrics: this.metrics, policies });
    if (!ownsLoop) return;
    const { ring } = this.metrics;
    ring.start();
    this.#lag = new LagLog({ logger, loopLagMs: limits.loopLagMs, onLag: (ms) => ring.lagged(ms) });
  }

  /** The longest lag of the loop within about the last 10 s, in ms; undefined where nobody measures it. */
  get loopLagMs(): number | undefined {
    return this.#lag?.lagMs;
  }

  close(): void {
    this.#lag?.close();
    this.metrics.ring.close();
  }
}
