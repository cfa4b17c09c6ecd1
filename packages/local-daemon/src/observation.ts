import type { Logger, Metric } from "@daemon-sdk/protocol";
import type { KeyPolicies } from "./access/index.js";
import type { DaemonLimits } from "./limits/index.js";
import { LagLog } from "./loop/index.js";
import { DaemonMetrics } from "./metrics/index.js";
import { exportMetrics, type OtelApi, TurnTraces } from "./tracing/index.js";
import { TurnReports } from "./turn-reports.js";

/** Options of {@link Observation}. */
export interface ObservationOptions {
  readonly logger: Logger;
  readonly policies: KeyPolicies;
  readonly now: () => number;
  readonly limits: Pick<DaemonLimits, "loopLagMs">;
  /** False when the daemon is a part of a program: the loop is that program's, and nobody looks at the last hour. */
  readonly ownsLoop: boolean;
  /** Absent where the process has no OpenTelemetry. */
  readonly otel: OtelApi | undefined;
}

/** How a daemon observes itself: its counts, its last hour, the lag of its loop, and the reports of its turns. */
export class Observation {
  readonly metrics: DaemonMetrics;
  readonly turns: TurnReports;
  readonly #otel: OtelApi | undefined;
  readonly #lag: LagLog | undefined;
  #stopExport: (() => void) | undefined;

  constructor({ logger, policies, now, limits, ownsLoop, otel }: ObservationOptions) {
    this.metrics = new DaemonMetrics({ now });
    this.#otel = otel;
    const traces = otel && new TurnTraces(otel);
    this.turns = new TurnReports({ logger, metrics: this.metrics, policies, traces });
    if (!ownsLoop) return;
    const { ring } = this.metrics;
    ring.start();
    this.#lag = new LagLog({ logger, loopLagMs: limits.loopLagMs, onLag: (ms) => ring.lagged(ms) });
  }

  /** The longest lag of the loop within about the last 10 s, in ms; undefined where nobody measures it. */
  get loopLagMs(): number | undefined {
    return this.#lag?.lagMs;
  }

  /** Lets OpenTelemetry read what the daemon counts, where the process has it. */
  export(read: () => readonly Metric[]): void {
    if (this.#otel !== undefined) this.#stopExport = exportMetrics(this.#otel, this.metrics, read);
  }

  close(): void {
    this.#stopExport?.();
    this.#lag?.close();
    this.metrics.ring.close();
  }
}
