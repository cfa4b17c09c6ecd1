import { METRICS_LIMITS } from "../limits/index.js";
import { Counter, LabelledCounter } from "./counter.js";
import { Histogram } from "./histogram.js";
import { MinuteRing } from "./minute-ring.js";

/** Options of {@link DaemonMetrics}. */
export interface DaemonMetricsOptions {
  /** Wall clock in ms. Default: the system's. */
  readonly now?: () => number;
}

/** Reasons of ends that are counted apart (docs/protocol.md §7, "End"). */
const REASONS = [
  "completed",
  "cancelled",
  "error",
  "model_authentication_failed",
  "agent_exited",
  "daemon_restarted",
] as const;

/**
 * What a daemon counts. Counting is an addition, or a search among a dozen bounds, once for each turn, transaction, connection or
 * start of an agent, and never for each entry.
 */
export class DaemonMetrics {
  readonly startedAt: number;
  readonly turnsAccepted = new Counter();
  readonly turnsHanded = new Counter();
  readonly turnsEnded = new LabelledCounter("reason", REASONS);
  /** From the acceptance of a message until its agent gets it. */
  readonly turnWait = new Histogram(METRICS_LIMITS.durationBucketsMs);
  /** From then until the end of its turn. */
  readonly turnDuration = new Histogram(METRICS_LIMITS.durationBucketsMs);
  readonly commits = new Counter();
  readonly commitFailures = new Counter();
  readonly commitDuration = new Histogram(METRICS_LIMITS.latencyBucketsMs);
  /** From the first entry of a transaction to its delivery. */
  readonly entryLatency = new Histogram(METRICS_LIMITS.latencyBucketsMs);
  readonly journalEntries = new Counter();
  /** UTF-16 units: counting the bytes would cost a pass over each text. */
  readonly journalChars = new Counter();
  readonly connectionsAccepted = new Counter();
  readonly credentialsRefused = new Counter();
  readonly agentStarts = new Counter();
  readonly agentStartFailures = new Counter();
  readonly agentStartDuration = new Histogram(METRICS_LIMITS.durationBucketsMs);
  /** `asked`: the daemon stopped it. `itself`: it ended by itself. */
  readonly agentExits = new LabelledCounter("by", ["asked", "itself"]);
  readonly ring: MinuteRing;

  constructor({ now = Date.now }: DaemonMetricsOptions = {}) {
    this.startedAt = now();
    this.ring = new MinuteRing({ now });
  }

  /** A turn ended; `handedAt` is absent when no agent got its message. */
  turnEnded(reason: string, handedAt: number | undefined, endedAt: number): void {
    this.turnsEnded.add(reason);
    this.ring.turnEnded();
    if (handedAt !== undefined) this.turnDuration.record(endedAt - handedAt);
  }

  /** An agent has opened its conversation, so long after its start began. */
  agentStarted(durationMs: number): void {
    this.agentStarts.add();
    this.agentStartDuration.record(durationMs);
  }

  /** A transaction with so many entries was stored and delivered, so long after the first of them came up. */
  delivered(entries: number, chars: number, latencyMs: number): void {
    this.journalEntries.add(entries);
    this.journalChars.add(chars);
    this.entryLatency.record(latencyMs);
    this.ring.delivered(entries, latencyMs);
  }
}
