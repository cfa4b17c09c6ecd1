import type { GetMetricsResult, Metric, ReplicaLag } from "@daemon-sdk/protocol";
import { Counter, LabelledCounter } from "./counter.js";
import type { DaemonMetrics } from "./daemon-metrics.js";
import { Histogram } from "./histogram.js";

/** What waits for one machine of the fleet. */
export interface OutboxGauges {
  readonly machineId: string;
  readonly letters: number;
  readonly bytes: number;
  readonly oldestMs: number;
  readonly deadLetters: number;
}

/** What is read when somebody asks, and not counted. */
export interface Gauges {
  readonly openSessions: number;
  readonly runningTurns: number;
  readonly queuedTurns: number;
  readonly queuedBytes: number;
  readonly pendingRequests: number;
  readonly connections: number;
  readonly relayConnections: number;
  /** What waits for each machine of the fleet. */
  readonly outboxes: readonly OutboxGauges[];
  /** What the replica has not acknowledged; undefined while nothing replicates. */
  readonly replica: ReplicaLag | undefined;
  /** Agents that start or run … */
  readonly liveAgents: number;
  /** … of them those that start … */
  readonly startingAgents: number;
  /** … and starts that wait for their turn. */
  readonly waitingAgents: number;
  /** Longest time for which the loop was held within about the last 10 s; undefined where nobody measures it. */
  readonly loopLagSeconds: number | undefined;
  /** Bytes of the store's files on disk; undefined for a store in memory. */
  readonly storeBytes: number | undefined;
  /** What principals have stored, by the name of each, and what each may store; undefined where nobody counts. */
  readonly stored: readonly StoredOf[] | undefined;
  readonly version: string;
}

/** Bytes of the sessions of one principal. */
export interface StoredOf {
  readonly principal: string;
  readonly bytes: number;
  readonly maxBytes: number;
}

const PREFIX = "daemon_sdk_";

/** Keys of an object whose values have that type. */
type KeysOf<Of, Value> = { [Key in keyof Of]: Of[Key] extends Value ? Key : never }[keyof Of];

/** One line of a table: name without the prefix, where the value is, and help. */
type Row<Key> = readonly [name: string, key: Key, help: string];

const COUNTED: readonly Row<KeysOf<DaemonMetrics, Counter | LabelledCounter | Histogram>>[] = [
  ["turns_accepted_total", "turnsAccepted", "Messages that were accepted."],
  ["turns_handed_total", "turnsHanded", "Messages that an agent was given."],
  ["turns_ended_total", "turnsEnded", "Turns that ended, by reason."],
  ["turn_wait_seconds", "turnWait", "From the acceptance of a message until an agent gets it."],
  ["turn_duration_seconds", "turnDuration", "From then until its turn ends."],
  ["commits_total", "commits", "Transactions of the store."],
  ["commit_failures_total", "commitFailures", "Transactions that failed."],
  ["commit_duration_seconds", "commitDuration", "Duration of a transaction."],
  ["entry_latency_seconds", "entryLatency", "From the first entry of a transaction to its delivery."],
  ["journal_entries_total", "journalEntries", "Entries of journals that were committed."],
  ["journal_bytes_total", "journalChars", "Size of these entries, a character counted as one byte."],
  ["agent_starts_total", "agentStarts", "Agents of sessions that have opened their conversation."],
  ["agent_start_failures_total", "agentStartFailures", "Agents of sessions that could not."],
  ["agent_start_duration_seconds", "agentStartDuration", "Duration of a start that succeeded."],
  ["agent_exits_total", "agentExits", "Agents of sessions that ended, asked to or by themselves."],
  ["connections_total", "connectionsAccepted", "Connections of the session wire that were accepted."],
  ["credentials_refused_total", "credentialsRefused", "Credentials that were refused."],
];

const GAUGES: readonly Row<KeysOf<Gauges, number | undefined>>[] = [
  ["turns_running", "runningTurns", "Turns that run, or whose agent is about to get the message."],
  ["turns_queued", "queuedTurns", "Messages that wait behind another turn of their session."],
  ["turns_queued_bytes", "queuedBytes", "Bytes of these messages."],
  ["sessions_open", "openSessions", "Open sessions."],
  ["requests_pending", "pendingRequests", "Requests to the user that wait for an answer."],
  ["store_bytes", "storeBytes", "Size of the store's files."],
  ["agents_live", "liveAgents", "Agents that start or run."],
  ["agents_starting", "startingAgents", "Agents that start."],
  ["agents_waiting", "waitingAgents", "Agents that wait for their start."],
  ["connections", "connections", "Open connections of the session wire."],
  ["relay_connections", "relayConnections", "Open connections of the relay."],
  ["loop_lag_seconds", "loopLagSeconds", "Longest time within 10 s for which the event loop was held."],
];

const OUTBOXES: readonly (readonly [name: string, value: (outbox: OutboxGauges) => number, help: string])[] = [
  ["outbox_letters", ({ letters }) => letters, "Messages for a machine of the fleet that it has not reported."],
  ["outbox_bytes", ({ bytes }) => bytes, "Size of these messages, a character counted as one byte."],
  ["outbox_oldest_seconds", ({ oldestMs }) => oldestMs / 1000, "How long the oldest of them has waited."],
  [
    "outbox_dead_letters",
    ({ deadLetters }) => deadLetters,
    "Messages that the machine refused, or did not take in time.",
  ],
];

/** All that a daemon measures, as `get_metrics` answers it. */
export function metricsReport(metrics: DaemonMetrics, gauges: Gauges, now: number): GetMetricsResult {
  return {
    at: now,
    startedAt: metrics.startedAt,
    metrics: [
      ...COUNTED.map(([name, key, help]) => counted(PREFIX + name, help, metrics[key])),
      ...GAUGES.flatMap(([name, key, help]) => {
        const value = gauges[key];
        return value === undefined ? [] : [single(PREFIX + name, "gauge", help, value)];
      }),
      ...storedMetrics(gauges),
      ...outboxMetrics(gauges.outboxes),
      ...replicaMetrics(gauges.replica, now),
      ...processMetrics(metrics, gauges),
    ],
    minutes: metrics.ring.minutes(),
  };
}

/** The histograms by their names in the report. */
export function histogramsOf(metrics: DaemonMetrics): ReadonlyMap<string, Histogram> {
  const found = COUNTED.flatMap(([name, key]) => {
    const source = metrics[key];
    return source instanceof Histogram ? [[PREFIX + name, source] as const] : [];
  });
  return new Map(found);
}

/** Those without a bound have the largest whole number for one. */
function storedMetrics({ stored }: Gauges): Metric[] {
  if (stored === undefined) return [];
  const each = (value: (one: StoredOf) => number) =>
    stored.map((one) => ({ labels: { principal: one.principal }, value: value(one) }));
  const bytes = {
    type: "gauge",
    help: "Bytes of the sessions of the person, and of each key.",
    samples: each((one) => one.bytes),
  } as const;
  const bounds = { type: "gauge", help: "What each of them may store.", samples: each((one) => one.maxBytes) } as const;
  return [
    { name: `${PREFIX}stored_bytes`, ...bytes },
    { name: `${PREFIX}stored_bytes_max`, ...bounds },
  ];
}

/** A series for each machine that ever had mail from here; without any there is no metric. */
function outboxMetrics(outboxes: readonly OutboxGauges[]): Metric[] {
  if (outboxes.length === 0) return [];
  return OUTBOXES.map(([name, value, help]) => ({
    ...{ name: PREFIX + name, type: "gauge", help },
    samples: outboxes.map((outbox) => ({ labels: { machine: outbox.machineId }, value: value(outbox) })),
  }));
}

/** Without a replica there is no metric. */
function replicaMetrics(lag: ReplicaLag | undefined, now: number): Metric[] {
  if (lag === undefined) return [];
  const seconds = lag.since === undefined ? 0 : Math.max(0, now - lag.since) / 1000;
  const gauge = (name: string, help: string, value: number) =>
    single(`${PREFIX}replica_behind_${name}`, "gauge", help, value);
  return [
    gauge("entries", "Entries of journals that the replica has not acknowledged.", lag.entries),
    gauge("bytes", "Size of these entries, a character counted as one byte.", lag.bytes),
    gauge("seconds", "How long the oldest of them has been stored.", seconds),
  ];
}

/** Those of every process have the names that monitoring expects of them. */
function processMetrics({ startedAt }: DaemonMetrics, { version }: Gauges): Metric[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const info = { labels: { version }, value: 1 };
  return [
    { name: `${PREFIX}info`, type: "gauge", help: "The daemon's version.", samples: [info] },
    single("process_cpu_seconds_total", "counter", "Processor time.", (user + system) / 1e6),
    single("process_resident_memory_bytes", "gauge", "Resident memory.", rss),
    single("process_start_time_seconds", "gauge", "Start of the daemon since 1970.", startedAt / 1000),
    single("nodejs_heap_size_used_bytes", "gauge", "Used heap.", heapUsed),
  ];
}

function single(name: string, type: "counter" | "gauge", help: string, value: number): Metric {
  return { name, type, help, samples: [{ value }] };
}

function counted(name: string, help: string, source: Counter | LabelledCounter | Histogram): Metric {
  if (source instanceof Counter) return single(name, "counter", help, source.value);
  if (source instanceof LabelledCounter) {
    const samples = [...source.counts].map(([text, value]) => ({ labels: { [source.label]: text }, value }));
    return { name, type: "counter", help, samples };
  }
  const buckets = source.cumulative().map(({ boundMs, count }) => ({ le: boundMs / 1000, count }));
  return { name, type: "histogram", help, samples: [{ value: source.sumMs / 1000, count: source.count, buckets }] };
}
