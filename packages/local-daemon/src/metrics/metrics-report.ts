import type { GetMetricsResult, Metric } from "@daemon-sdk/protocol";
import type { Counter, LabelledCounter } from "./counter.js";
import type { DaemonMetrics } from "./daemon-metrics.js";
import type { Histogram } from "./histogram.js";

/** What is read when somebody asks, and not counted. */
export interface Gauges {
  readonly openSessions: number;
  readonly runningTurns: number;
  readonly queuedTurns: number;
  readonly queuedBytes: number;
  readonly pendingRequests: number;
  readonly connections: number;
  readonly relayConnections: number;
  /** Agents that start or run … */
  readonly liveAgents: number;
  /** … of them those that start … */
  readonly startingAgents: number;
  /** … and starts that wait for their turn. */
  readonly waitingAgents: number;
  /** Longest time for which the loop was held within about the last 10 s; undefined where nobody measures it. */
  readonly loopLagMs: number | undefined;
  /** Bytes of the store's files on disk; undefined for a store in memory. */
  readonly storeBytes: number | undefined;
  readonly version: string;
}

const PREFIX = "daemon_sdk_";

/** All that a daemon measures, as `get_metrics` answers it. */
export function metricsReport(metrics: DaemonMetrics, gauges: Gauges, now: number): GetMetricsResult {
  return {
    at: now,
    startedAt: metrics.startedAt,
    metrics: [
      ...turnMetrics(metrics, gauges),
      ...journalMetrics(metrics, gauges),
      ...agentMetrics(metrics, gauges),
      ...connectionMetrics(metrics, gauges),
      ...processMetrics(metrics, gauges),
    ],
    minutes: metrics.ring.minutes(),
  };
}

function turnMetrics(metrics: DaemonMetrics, gauges: Gauges): Metric[] {
  return [
    counter("turns_accepted_total", "Messages that were accepted.", metrics.turnsAccepted),
    counter("turns_handed_total", "Messages that an agent was given.", metrics.turnsHanded),
    labelled("turns_ended_total", "Turns that ended, by reason.", metrics.turnsEnded),
    gauge("turns_running", "Turns that run, or whose agent is about to get the message.", gauges.runningTurns),
    gauge("turns_queued", "Messages that wait behind another turn of their session.", gauges.queuedTurns),
    gauge("turns_queued_bytes", "Bytes of these messages.", gauges.queuedBytes),
    histogram("turn_wait_seconds", "From the acceptance of a message until an agent gets it.", metrics.turnWait),
    histogram("turn_duration_seconds", "From then until its turn ends.", metrics.turnDuration),
    gauge("sessions_open", "Open sessions.", gauges.openSessions),
    gauge("requests_pending", "Requests to the user that wait for an answer.", gauges.pendingRequests),
  ];
}

function journalMetrics(metrics: DaemonMetrics, { storeBytes }: Gauges): Metric[] {
  return [
    counter("commits_total", "Transactions of the store.", metrics.commits),
    counter("commit_failures_total", "Transactions that failed.", metrics.commitFailures),
    histogram("commit_duration_seconds", "Duration of a transaction.", metrics.commitDuration),
    histogram("entry_latency_seconds", "From the first entry of a transaction to its delivery.", metrics.entryLatency),
    counter("journal_entries_total", "Entries of journals that were committed.", metrics.journalEntries),
    counter("journal_bytes_total", "Size of these entries, a character counted as one byte.", metrics.journalChars),
    ...(storeBytes === undefined ? [] : [gauge("store_bytes", "Size of the store's files.", storeBytes)]),
  ];
}

function agentMetrics(metrics: DaemonMetrics, gauges: Gauges): Metric[] {
  return [
    gauge("agents_live", "Agents that start or run.", gauges.liveAgents),
    gauge("agents_starting", "Agents that start.", gauges.startingAgents),
    gauge("agents_waiting", "Agents that wait for their start.", gauges.waitingAgents),
    counter("agent_starts_total", "Agents of sessions that have opened their conversation.", metrics.agentStarts),
    counter("agent_start_failures_total", "Agents of sessions that could not.", metrics.agentStartFailures),
    histogram("agent_start_duration_seconds", "Duration of a start that succeeded.", metrics.agentStartDuration),
    labelled("agent_exits_total", "Agents of sessions that ended, asked to or by themselves.", metrics.agentExits),
  ];
}

function connectionMetrics(metrics: DaemonMetrics, gauges: Gauges): Metric[] {
  return [
    gauge("connections", "Open connections of the session wire.", gauges.connections),
    gauge("relay_connections", "Open connections of the relay.", gauges.relayConnections),
    counter("connections_total", "Connections of the session wire that were accepted.", metrics.connectionsAccepted),
    counter("credentials_refused_total", "Credentials that were refused.", metrics.credentialsRefused),
  ];
}

/** Those of every process have the names that monitoring expects of them. */
function processMetrics(metrics: DaemonMetrics, { loopLagMs, version }: Gauges): Metric[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return [
    ...(loopLagMs === undefined
      ? []
      : [gauge("loop_lag_seconds", "Longest time within 10 s for which the event loop was held.", loopLagMs / 1000)]),
    { ...gauge("info", "The daemon's version.", 1), samples: [{ labels: { version }, value: 1 }] },
    plain("process_cpu_seconds_total", "counter", "Processor time.", (user + system) / 1e6),
    plain("process_resident_memory_bytes", "gauge", "Resident memory.", rss),
    plain("process_start_time_seconds", "gauge", "Start of the daemon since 1970.", metrics.startedAt / 1000),
    plain("nodejs_heap_size_used_bytes", "gauge", "Used heap.", heapUsed),
  ];
}

function plain(name: string, type: "counter" | "gauge", help: string, value: number): Metric {
  return { name, type, help, samples: [{ value }] };
}

function gauge(name: string, help: string, value: number): Metric {
  return plain(PREFIX + name, "gauge", help, value);
}

function counter(name: string, help: string, { value }: Counter): Metric {
  return plain(PREFIX + name, "counter", help, value);
}

function labelled(name: string, help: string, { label, counts }: LabelledCounter): Metric {
  const samples = [...counts].map(([key, value]) => ({ labels: { [label]: key }, value }));
  return { name: PREFIX + name, type: "counter", help, samples };
}

function histogram(name: string, help: string, measured: Histogram): Metric {
  const buckets = measured.cumulative().map(({ boundMs, count }) => ({ le: boundMs / 1000, count }));
  const samples = [{ value: measured.sumMs / 1000, count: measured.count, buckets }];
  return { name: PREFIX + name, type: "histogram", help, samples };
}
