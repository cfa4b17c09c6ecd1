import { freemem, totalmem } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  type AgentMetrics,
  createEnvelope,
  type HealthResponsePayload,
  type StatusResponsePayload,
  type WorkerSummary,
} from "@daemon-sdk/protocol/relay";
import { MemoryStore } from "../../storage/index.js";
import { LOCAL_DAEMON_VERSION } from "../../version.js";
import type { RelayPeer } from "../names/index.js";
import type { RelayHandlers, RelayServices } from "../relay-services.js";
import { residentBytes } from "../workers/index.js";

/** What queries about the daemon need of the relay. */
export interface DaemonQueryServices
  extends Pick<RelayServices, "directory" | "store" | "committer" | "now" | "logger"> {
  /** Agents that were spawned and run. */
  workers(): readonly WorkerSummary[];
}

/** From when on an agent's memory is worth a warning, and from when on it is critical (docs/wire/relay.md#settings). */
const WARNING_BYTES = 512 * 1024 * 1024;
const CRITICAL_BYTES = 1024 * 1024 * 1024;
/** What either takes off the health score, and below which scores the summary changes (docs/wire/relay.md#queries). */
const WARNING_COST = 10;
const CRITICAL_COST = 30;
const GOOD_SCORE = 80;
const FAIR_SCORE = 50;
/** How long STATUS waits for the store to show that it works. */
const STORE_CHECK_MS = 1_000;

/** STATUS, HEALTH and METRICS (docs/wire/relay.md#queries). Answers carry the id of the query. */
export function daemonQueryHandlers(services: DaemonQueryServices): RelayHandlers {
  const startedAt = services.now();
  const answer = (peer: RelayPeer, refId: string, work: Promise<void>) => {
    work.catch((error: unknown) => {
      services.logger.error({ agent: peer.name, refId, error: String(error) }, "A query failed.");
      peer.refuse("INTERNAL", `The query failed: ${String(error)}`, { refId });
    });
  };
  return {
    STATUS: (peer, { id }) =>
      answer(
        peer,
        id,
        statusOf(services, startedAt).then((status) => peer.send(createEnvelope("STATUS_RESPONSE", status, { id }))),
      ),
    HEALTH: (peer, { id }) =>
      answer(
        peer,
        id,
        healthOf(services).then((health) => peer.send(createEnvelope("HEALTH_RESPONSE", health, { id }))),
      ),
    METRICS: (peer, { id, payload }) =>
      answer(
        peer,
        id,
        metricsOf(services).then((all) => {
          const agents = payload.agent === undefined ? all : all.filter(({ name }) => name === payload.agent);
          const system = { totalMemory: totalmem(), freeMemory: freemem(), heapUsed: process.memoryUsage().heapUsed };
          peer.send(createEnvelope("METRICS_RESPONSE", { agents, system }, { id }));
        }),
      ),
  };
}

async function statusOf(services: DaemonQueryServices, startedAt: number): Promise<StatusResponsePayload> {
  const { directory, now, store } = services;
  const isVolatile = store instanceof MemoryStore;
  const driver = isVolatile ? "memory" : "sqlite";
  return {
    version: LOCAL_DAEMON_VERSION,
    uptime: now() - startedAt,
    cloudConnected: false,
    agentCount: directory.agents().length + directory.users().length,
    storage: { persistent: !isVolatile, driver, ...(await checkStore(services)) },
  };
}

type StoreCheck = Pick<NonNullable<StatusResponsePayload["storage"]>, "canRead" | "canWrite" | "error">;

/** Looks whether the store takes a transaction and gives an answer, in good time. */
async function checkStore({ store, committer }: DaemonQueryServices): Promise<StoreCheck> {
  const late = new AbortController();
  const isLate = delay(STORE_CHECK_MS, "no answer in time", { signal: late.signal, ref: false });
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

async function metricsOf({ directory, workers, now }: DaemonQueryServices): Promise<AgentMetrics[]> {
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
  if (rssBytes >= CRITICAL_BYTES) return "critical";
  return rssBytes >= WARNING_BYTES ? "warning" : "normal";
}

async function healthOf(services: DaemonQueryServices): Promise<HealthResponsePayload> {
  const troubled = (await metricsOf(services)).filter(
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
    stats: { totalCrashes24h: 0, totalAlerts24h: 0, agentCount: services.directory.agents().length },
  };
}

function summaryOf(score: number): string {
  if (score >= GOOD_SCORE) return "System is healthy";
  return score >= FAIR_SCORE ? "System has some issues" : "System needs attention";
}
