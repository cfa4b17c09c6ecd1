import { freemem, totalmem } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  type AgentMetrics,
  createEnvelope,
  type Envelope,
  type HealthResponsePayload,
  type StatusResponsePayload,
  type WorkerSummary,
} from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import { MemoryStore } from "../../storage/index.js";
import { LOCAL_DAEMON_VERSION } from "../../version.js";
import type { RelayPeer } from "../names/index.js";
import type { HandlerGroup } from "../router.js";
import { residentBytes } from "./process-memory.js";
import type { RelayParts } from "./relay-parts.js";

/** Options of {@link daemonQueryHandlers}. */
export interface DaemonQueryOptions extends Pick<RelayParts, "directory" | "store" | "committer" | "now" | "logger"> {
  /** Agents that were spawned and run. */
  workers(): readonly WorkerSummary[];
}

/** What either subtracts from the health score, and the scores below which the summary changes (docs/wire/relay.md#queries). */
const WARNING_COST = 10;
const CRITICAL_COST = 30;
const GOOD_SCORE = 80;
const FAIR_SCORE = 50;

/** STATUS, HEALTH and METRICS (docs/wire/relay.md#queries). Answers carry the id of the query. */
export function daemonQueryHandlers(options: DaemonQueryOptions): HandlerGroup {
  const startedAt = options.now();
  const answer = <Payload>(
    peer: RelayPeer,
    refId: string,
    work: Promise<Payload>,
    envelopeOf: (payload: Payload) => Envelope<object>,
  ) => {
    work
      .then((payload) => peer.send(envelopeOf(payload)))
      .catch((error: unknown) => {
        options.logger.error({ agent: peer.name, refId, error: String(error) }, "A query failed.");
        peer.refuse("INTERNAL", `The query failed: ${String(error)}`, { refId });
      });
  };
  return {
    handlers: {
      STATUS: (peer, { id }) =>
        answer(peer, id, statusOf(options, startedAt), (status) => createEnvelope("STATUS_RESPONSE", status, { id })),
      HEALTH: (peer, { id }) =>
        answer(peer, id, healthOf(options), (health) => createEnvelope("HEALTH_RESPONSE", health, { id })),
      METRICS: (peer, { id, payload }) =>
        answer(peer, id, metricsOf(options), (all) => {
          const agents = payload.agent === undefined ? all : all.filter(({ name }) => name === payload.agent);
          const system = { totalMemory: totalmem(), freeMemory: freemem(), heapUsed: process.memoryUsage().heapUsed };
          return createEnvelope("METRICS_RESPONSE", { agents, system }, { id });
        }),
    },
  };
}

async function statusOf(options: DaemonQueryOptions, startedAt: number): Promise<StatusResponsePayload> {
  const { directory, now, store } = options;
  const isVolatile = store instanceof MemoryStore;
  const driver = isVolatile ? "memory" : "sqlite";
  return {
    version: LOCAL_DAEMON_VERSION,
    uptime: now() - startedAt,
    cloudConnected: false,
    agentCount: directory.agents().length + directory.users().length,
    storage: { persistent: !isVolatile, driver, ...(await checkStore(options)) },
  };
}

type StoreCheck = Pick<NonNullable<StatusResponsePayload["storage"]>, "canRead" | "canWrite" | "error">;

/** Checks that the store commits and reads within `storeCheckMs`. */
async function checkStore({ store, committer }: DaemonQueryOptions): Promise<StoreCheck> {
  const late = new AbortController();
  const isLate = delay(MESSAGING_LIMITS.storeCheckMs, "no answer in time", { signal: late.signal, ref: false });
  const tried = (work: Promise<unknown>) =>
    Promise.race([work.then(() => undefined), isLate]).catch((error: unknown) => String(error));
  const [readError, writeError] = await Promise.all([tried(store.relayFacts("")), tried(committer.commit([]))]);
  late.abort();
  isLate.catch(() => {});
  const error = writeError ?? readError;
  return {
    canRead: readError === undefined,
    canWrite: writeError === undefined,
    ...(error === undefined ? {} : { error: `The store failed: ${error}` }),
  };
}

async function metricsOf({ directory, workers, now }: DaemonQueryOptions): Promise<AgentMetrics[]> {
  const connected = new Set(directory.agents().map(({ name }) => name));
  return Promise.all(
    workers().map(async ({ name, pid, spawnedAt }) => {
      const rssBytes = pid === undefined ? undefined : await residentBytes(pid);
      return {
        name,
        ...(pid === undefined ? {} : { pid }),
        status: connected.has(name) ? "running" : "disconnected",
        ...(rssBytes === undefined ? {} : { rssBytes, alertLevel: alertLevel(rssBytes) }),
        uptimeMs: now() - spawnedAt,
      };
    }),
  );
}

function alertLevel(rssBytes: number): "normal" | "warning" | "critical" {
  if (rssBytes >= MESSAGING_LIMITS.criticalBytes) return "critical";
  return rssBytes >= MESSAGING_LIMITS.warningBytes ? "warning" : "normal";
}

async function healthOf(options: DaemonQueryOptions): Promise<HealthResponsePayload> {
  const troubled = (await metricsOf(options)).filter(
    ({ alertLevel: level }) => level !== undefined && level !== "normal",
  );
  const levels = new Set(troubled.map(({ alertLevel: level }) => level));
  const costs = (levels.has("critical") ? CRITICAL_COST : 0) + (levels.has("warning") ? WARNING_COST : 0);
  const healthScore = 100 - costs;
  return {
    healthScore,
    summary: summaryOf(healthScore),
    issues: troubled.map(({ name, rssBytes, alertLevel: level }) => ({
      severity: level ?? "warning",
      message: `Agent ${name} holds ${rssBytes} bytes of memory`,
    })),
    recommendations: troubled.map(({ name }) => `Release agent ${name} and spawn it again`),
    crashes: [],
    alerts: [],
    stats: { totalCrashes24h: 0, totalAlerts24h: 0, agentCount: options.directory.agents().length },
  };
}

function summaryOf(score: number): string {
  if (score >= GOOD_SCORE) return "System is healthy";
  return score >= FAIR_SCORE ? "System has some issues" : "System needs attention";
}
