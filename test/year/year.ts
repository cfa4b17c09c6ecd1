import { readdirSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type SessionId, sessionId, silentLogger } from "@daemon-sdk/protocol";
import { memoryTransport } from "@daemon-sdk/testing";
import { KeyPolicies } from "../../packages/local-daemon/src/access/key-policy.js";
import { AgentCatalog } from "../../packages/local-daemon/src/agents/agent-catalog.js";
import { DEFAULT_CONFIG } from "../../packages/local-daemon/src/config.js";
import { Inbox } from "../../packages/local-daemon/src/inbox/inbox.js";
import { Committer } from "../../packages/local-daemon/src/journal/committer.js";
import { DaemonMetrics } from "../../packages/local-daemon/src/metrics/daemon-metrics.js";
import { Retention } from "../../packages/local-daemon/src/retention/retention.js";
import type { RetentionOptions } from "../../packages/local-daemon/src/retention/retention-options.js";
import { MessageSearch } from "../../packages/local-daemon/src/search/message-search.js";
import { createDaemon, PERSON } from "../../packages/local-daemon/src/server.js";
import { SessionHost } from "../../packages/local-daemon/src/sessions/session-host.js";
import { SqliteStore } from "../../packages/local-daemon/src/storage/sqlite-store.js";
import { TurnReports } from "../../packages/local-daemon/src/turn-reports.js";
import { FakeSpawner } from "../../packages/local-daemon/test/sessions/fake-agent.js";
import { TestClient } from "../../packages/local-daemon/test/sessions/harness.js";
import { sessionRow } from "../../packages/local-daemon/test/storage/store-contract.js";
import { sampleTurn, type TurnSample, turnsLike } from "./one-turn.js";

/** How much is used, and what is kept. */
export interface YearOptions {
  /** The state directory; made when it is not there. */
  readonly stateDir: string;
  /** Where the programs of threads are; default: their work is done in this thread. */
  readonly programs?: string;
  /** The last week. */
  readonly weeks: number;
  /** Default 1; later ones go on with what an earlier run left. */
  readonly firstWeek?: number;
  readonly sessionsPerWeek: number;
  readonly turnsPerSession: number;
  readonly retention: RetentionOptions;
  /** Called after each week. */
  onWeek?(week: WeekOfUse): void;
}

/** What a week ended with. */
export interface WeekOfUse {
  readonly week: number;
  readonly storedSessions: number;
  /** Bytes of every file in the state directory. */
  readonly diskBytes: number;
  readonly heapBytes: number;
  /** From the call until clients can connect, after a clean end. */
  readonly startMs: number;
  /** The first page of 50 sessions, of five calls the middle one. */
  readonly listMs: number;
  /** The week's turns, in all. */
  readonly writeMs: number;
  readonly deleted: number;
  readonly deleteMs: number;
}

const WEEK_MS = 7 * 24 * 60 * 60_000;
const SINCE = Date.UTC(2026, 0, 5);
/** Times that a daemon is started after each week: the shortest start counts, for a machine has other work, too. */
const STARTS = 3;
const SEARCHED = "comma";

/**
 * Uses a daemon's store for weeks of a fake clock: each week turns are stored as a real turn stores them, retention runs, and a daemon
 * is started on what is left.
 */
export async function liveThrough(options: YearOptions): Promise<WeekOfUse[]> {
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const sample = await sampleTurn();
  const weeks: WeekOfUse[] = [];
  for (let week = options.firstWeek ?? 1; week <= options.weeks; week += 1) {
    const used = await liveAWeek(options, week, sample);
    const started = await shortestStart(options.stateDir, SINCE + week * WEEK_MS);
    weeks.push({ week, ...used, ...started, diskBytes: bytesIn(options.stateDir), heapBytes: heapBytes() });
    options.onWeek?.(weeks.at(-1) as WeekOfUse);
  }
  return weeks;
}

type Started = Pick<WeekOfUse, "startMs" | "listMs">;
type Used = Pick<WeekOfUse, "deleted" | "deleteMs" | "storedSessions" | "writeMs">;

async function liveAWeek(options: YearOptions, week: number, sample: TurnSample): Promise<Used> {
  const now = () => SINCE + week * WEEK_MS;
  const { store, host, search } = await partsOf(options, now);
  const began = performance.now();
  for (let at = 0; at < options.sessionsPerWeek; at += 1) {
    await store.commit(sessionOf(options, week, at, sample));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const written = performance.now();
  const { deleted } = await new Retention({ host, wanted: () => options.retention }).run();
  const deletedAt = performance.now();
  // A search waits until the index has everything.
  await search.search({ query: SEARCHED, kind: "all", limitSessions: 1, limitHitsPerSession: 1, contextChars: 20 });
  const storedSessions = await store.countSessions("k");
  await host.stop();
  await search.close();
  await store.close();
  return { deleted, storedSessions, writeMs: written - began, deleteMs: deletedAt - written };
}

/** A session of that week, with its turns spread over the days. */
function sessionOf({ turnsPerSession }: YearOptions, week: number, at: number, sample: TurnSample) {
  const id: SessionId = sessionId(`week-${week}-session-${at}`);
  const begin = SINCE + (week - 1) * WEEK_MS;
  const times = Array.from(
    { length: turnsPerSession },
    (_, turn) => begin + Math.round((WEEK_MS * (turn + 1)) / (turnsPerSession + 1)),
  );
  const updatedAt = times.at(-1) ?? begin;
  const row = sessionRow(id, { owner: "k", agent: "fake", agentSessionId: undefined, createdAt: begin, updatedAt });
  return [{ kind: "session", row } as const, ...turnsLike(sample, id, times)];
}

async function partsOf({ stateDir, programs }: YearOptions, now: () => number) {
  const programOf = (name: string) => (programs === undefined ? undefined : join(programs, `${name}.cjs`));
  const [checkpointProgram, program] = [programOf("checkpoint-worker"), programOf("search-worker")];
  const path = join(stateDir, "daemon.db");
  const store = new SqliteStore({ path, now, ...(checkpointProgram !== undefined && { checkpointProgram }) });
  const { epoch } = await store.open();
  const policies = new KeyPolicies(undefined);
  const metrics = new DaemonMetrics({ now });
  const committer = new Committer({ store, logger: silentLogger });
  const indexPath = join(stateDir, "search.db");
  const search = new MessageSearch({ store, indexPath, logger: silentLogger, program });
  const host = new SessionHost({
    erasureOf: () => [],
    ...{ policies, metrics, observer: new TurnReports({ logger: silentLogger, metrics, policies }) },
    ...{ store, committer, search, epoch, now, instanceId: "year", logger: silentLogger, stateDir },
    limits: DEFAULT_CONFIG.limits,
    spawner: new FakeSpawner(),
    inbox: new Inbox({ now, logger: silentLogger, timeoutMs: undefined }),
    agents: new AgentCatalog([{ name: "fake", command: ["fake"], driver: "stream-jsonrpc" }], "fake"),
  });
  return { store, host, search };
}

/** Starts a daemon on what is stored, and lists its sessions. */
async function shortestStart(stateDir: string, now: number): Promise<Started> {
  let shortest = await startOn(stateDir, now);
  for (let start = 1; start < STARTS; start += 1) {
    const next = await startOn(stateDir, now);
    if (next.startMs < shortest.startMs) shortest = next;
  }
  return shortest;
}

async function startOn(stateDir: string, now: number): Promise<Started> {
  const began = performance.now();
  const daemon = await createDaemon({ stateDir, now: () => now });
  const startMs = performance.now() - began;
  const { near, far } = memoryTransport();
  await daemon.accept(far, PERSON);
  const client = new TestClient(near);
  await client.authenticate();
  const times: number[] = [];
  for (let call = 0; call < 5; call += 1) {
    const asked = performance.now();
    await client.result("list_available_sessions", { limit: 50 });
    times.push(performance.now() - asked);
  }
  client.close();
  await daemon.close({ drainMs: 0 });
  return { startMs, listMs: times.sort((a, b) => a - b)[2] ?? 0 };
}

function bytesIn(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(join(directory, name)))
    .reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0);
}

/** Made once: each new context would stay. */
const collect: () => void = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
