import { statSync } from "node:fs";
import type { GetMetricsResult } from "@daemon-sdk/protocol";
import { type Credentials, readsMetrics } from "./access/index.js";
import { METRICS_LIMITS } from "./limits/index.js";
import type { MetricsAnswer, MetricsAsker } from "./listener/index.js";
import {
  type DaemonMetrics,
  type Gauges,
  metricsReport,
  PROMETHEUS_TYPE,
  prometheusText,
  type StoredOf,
} from "./metrics/index.js";
import type { SessionHost } from "./sessions/index.js";
import { LOCAL_DAEMON_VERSION } from "./version.js";

/** Options of {@link MetricsReader}. */
export interface MetricsReaderOptions {
  readonly metrics: DaemonMetrics;
  readonly host: SessionHost;
  readonly credentials: Credentials;
  /** The file of the store; undefined for a store in memory. */
  readonly storePath: string | undefined;
  readonly now: () => number;
  /** What other parts of the daemon state when they are asked. */
  measure(): Pick<Gauges, "connections" | "relayConnections" | "outboxes" | "replica"> & {
    readonly loopLagMs: number | undefined;
  };
}

/** Reads the metrics of a daemon, for `get_metrics` and for `/metrics`. */
export class MetricsReader {
  readonly #options: MetricsReaderOptions;

  constructor(options: MetricsReaderOptions) {
    this.#options = options;
  }

  read(): GetMetricsResult {
    const { metrics, now } = this.#options;
    return metricsReport(metrics, this.#gauges(), now());
  }

  /** On the unix socket whoever can connect is the person; on the port a key has to be shown. */
  answer({ via, authorization }: MetricsAsker): MetricsAnswer {
    const { credentials, host } = this.#options;
    if (via === "tcp") {
      const apiKey = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
      const principal = apiKey && credentials.identify({ caller: "metrics", apiKey }, () => false);
      if (!principal) return "unauthenticated";
      if (!readsMetrics(host.rules.policies.of(principal.keyId))) return "notAllowed";
    }
    return { text: prometheusText(this.read().metrics), type: PROMETHEUS_TYPE };
  }

  #gauges(): Gauges {
    const { host, storePath, measure } = this.#options;
    const { live, inbox } = host.services;
    const { loopLagMs, ...measured } = measure();
    const { live: liveAgents, starting: startingAgents, waiting: waitingAgents } = live.counts;
    let [runningTurns, queuedTurns, queuedBytes] = [0, 0, 0];
    for (const { turns } of host.open) {
      if (turns.active !== undefined) runningTurns++;
      queuedTurns += turns.waiting.length;
      for (const { row } of turns.waiting) queuedBytes += row.promptBytes;
    }
    return {
      ...{ runningTurns, queuedTurns, queuedBytes, liveAgents, startingAgents, waitingAgents },
      openSessions: host.open.length,
      pendingRequests: inbox.pendingCount,
      stored: this.#stored(),
      storeBytes: storePath === undefined ? undefined : sizeOf(storePath) + sizeOf(`${storePath}-wal`),
      version: LOCAL_DAEMON_VERSION,
      ...measured,
      loopLagSeconds: loopLagMs === undefined ? undefined : loopLagMs / 1000,
    };
  }

  /** The principals that have most; of the others there may be as many as a program has users. */
  #stored(): readonly StoredOf[] | undefined {
    const { storedRoom, rules } = this.#options.host.services;
    const all = storedRoom.all();
    if (all === undefined) return undefined;
    const named = new Map<string, StoredOf>();
    for (const [owner, bytes] of [...all]
      .sort(([, one], [, other]) => other - one)
      .slice(0, METRICS_LIMITS.principals)) {
      const principal = rules.policies.nameOf(owner);
      // Keys of one name are one series.
      const before = named.get(principal)?.bytes ?? 0;
      named.set(principal, { principal, bytes: before + bytes, maxBytes: storedRoom.boundOf(owner).most });
    }
    return [...named.values()];
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
