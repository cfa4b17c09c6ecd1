import {
  FACTORY_API_VERSION,
  type RpcError,
  type SessionNotification,
  silentLogger,
  type Transport,
} from "@daemon-sdk/protocol";
import { memoryTransport } from "@daemon-sdk/testing";
import { Credentials } from "../../src/access/credentials.js";
import { type ConfiguredKey, KeyPolicies } from "../../src/access/key-policy.js";
import { Tickets } from "../../src/access/tickets.js";
import type { AgentSpawner, AgentSpec } from "../../src/agents/agent.js";
import { AgentCatalog } from "../../src/agents/agent-catalog.js";
import { DEFAULT_CONFIG } from "../../src/config.js";
import { Connection, type ConnectionLimits } from "../../src/connection/connection.js";
import { LoopShares } from "../../src/connection/loop-shares.js";
import { Inbox } from "../../src/inbox/inbox.js";
import { Committer } from "../../src/journal/committer.js";
import type { SessionLimits } from "../../src/limits/session-limits.js";
import { DaemonMetrics } from "../../src/metrics/daemon-metrics.js";
import { MessageSearch } from "../../src/search/message-search.js";
import { SessionDialect } from "../../src/session-wire/session-dialect.js";
import { SharedTurns } from "../../src/session-wire/shared-turns.js";
import { SessionHost } from "../../src/sessions/session-host.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { Store } from "../../src/storage/store.js";
import { TurnReports } from "../../src/turn-reports.js";
import { FakeSpawner } from "./fake-agent.js";
import { Valve } from "./valve.js";

export const TOKEN = "the-local-token-of-this-test";
export const KEYS = ["a-configured-key-0", "a-configured-key-1"] as const;

/** A frame as a client saw it. */
export interface Seen {
  type: "request" | "response" | "notification";
  id?: string | null;
  method?: string;
  params: { sessionId: string; notification: SessionNotification } & Record<string, unknown>;
  result: Record<string, unknown>;
  error?: RpcError;
  _meta?: { epoch: number; seq: number };
}

/** A client that writes frames by hand: it must not share our own reading of the wire. */
export class TestClient {
  readonly seen: Seen[] = [];
  readonly texts: string[] = [];
  closeCode: number | undefined;
  readonly #transport: Transport;
  #nextId = 0;
  #waiters: { isMet(): boolean; resolve(): void }[] = [];

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.onMessage = (text) => {
      this.texts.push(text);
      this.seen.push(JSON.parse(text) as Seen);
      this.#check();
    };
    transport.onClose = ({ code }) => {
      this.closeCode = code;
      this.#check();
    };
  }

  sendText(text: string): void {
    this.#transport.send(text);
  }

  /** Sends a request; the answer is waited for elsewhere. */
  send(method: string, params: object, id = `r-${++this.#nextId}`): string {
    this.sendText(JSON.stringify({ ...ENVELOPE, type: "request", id, method: `daemon.${method}`, params }));
    return id;
  }

  respond(id: string, result: object): void {
    this.sendText(JSON.stringify({ ...ENVELOPE, type: "response", id, result }));
  }

  /** Sends a request and waits for its answer. */
  async call(method: string, params: object, id?: string): Promise<Seen> {
    const sent = this.send(method, params, id);
    return this.until((frame) => frame.type === "response" && frame.id === sent);
  }

  /** The result of a request that has to succeed. */
  async result(method: string, params: object): Promise<Record<string, unknown>> {
    const { result, error } = await this.call(method, params);
    if (error !== undefined) throw new TypeError(`${method}: ${error.code} ${error.message}`);
    return result;
  }

  async authenticate(params: object = { token: TOKEN }): Promise<Seen> {
    return this.call("authenticate", { caller: "test", ...params });
  }

  async createSession(id: string, extra: object = {}): Promise<Record<string, unknown>> {
    return this.result("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: id, ...extra });
  }

  loadSession(id: string, extra: object = {}): Promise<Record<string, unknown>> {
    return this.result("load_session", { sessionId: id, token: "t", ...extra });
  }

  async until(isWanted: (frame: Seen) => boolean): Promise<Seen> {
    await this.when(() => this.seen.some(isWanted));
    return this.seen.find(isWanted) as Seen;
  }

  notifications(id?: string): SessionNotification[] {
    return this.seen
      .filter(
        ({ method, params }) =>
          method === "daemon.session_notification" && (id === undefined || params.sessionId === id),
      )
      .map(({ params }) => params.notification);
  }

  /** Notifications without the ones that only say what the agent does. */
  types(id?: string): string[] {
    return this.notifications(id).map(({ type, newState }) =>
      newState === undefined ? type : `state ${String(newState)}`,
    );
  }

  /** Waits for a notification that fits, counted from the first one ever. */
  async notified(fields: object, count = 1): Promise<SessionNotification> {
    const fits = (notification: SessionNotification) =>
      Object.entries(fields).every(([key, value]) => notification[key] === value);
    await this.when(() => this.notifications().filter(fits).length >= count);
    return this.notifications().filter(fits)[count - 1] as SessionNotification;
  }

  turnEnd(turnId: string): Promise<SessionNotification> {
    return this.notified({ type: "agent_turn_completed", turnId });
  }

  request(method: string, count = 1): Promise<Seen> {
    const fits = (frame: Seen) => frame.type === "request" && frame.method === `daemon.${method}`;
    return this.when(() => this.seen.filter(fits).length >= count).then(
      () => this.seen.filter(fits)[count - 1] as Seen,
    );
  }

  closed(): Promise<void> {
    return this.when(() => this.closeCode !== undefined);
  }

  close(): void {
    this.#transport.close();
  }

  when(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }));
  }

  #check(): void {
    const met = this.#waiters.filter(({ isMet }) => isMet());
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const { resolve } of met) resolve();
  }
}

const ENVELOPE = { jsonrpc: "2.0", factoryApiVersion: FACTORY_API_VERSION };

export interface HarnessOptions {
  store?: Store;
  limits?: Partial<SessionLimits>;
  connection?: ConnectionLimits;
  now?: () => number;
  requestTimeoutMs?: number;
  /** Policies of keys, in place of {@link KEYS} without any. */
  keys?: readonly ConfiguredKey[];
  stateDir?: string;
  /** In place of two agents of the driver `stream-jsonrpc`. */
  agents?: readonly AgentSpec[];
  /** Starts agents in place of {@link Harness.spawner}. */
  spawner?: AgentSpawner;
}

/** Everything of a daemon but its doors and its real agents. */
export class Harness {
  readonly spawner = new FakeSpawner();
  readonly store: Store;
  readonly committer: Committer;
  readonly metrics: DaemonMetrics;
  readonly inbox: Inbox;
  readonly host: SessionHost;
  readonly epoch: number;
  readonly dialects: SessionDialect[] = [];
  readonly turns = new SharedTurns(silentLogger, new LoopShares());
  readonly credentials: Credentials;
  readonly #options: HarnessOptions;

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const store = options.store ?? new MemoryStore();
    const { epoch } = await store.open();
    return new Harness(store, epoch, options);
  }

  private constructor(store: Store, epoch: number, options: HarnessOptions) {
    const now = options.now ?? Date.now;
    this.#options = options;
    const policies = new KeyPolicies(options.keys);
    this.credentials = new Credentials({
      token: TOKEN,
      apiKeys: options.keys ?? KEYS,
      tickets: new Tickets({ policies }),
    });
    this.store = store;
    this.epoch = epoch;
    const metrics = new DaemonMetrics({ now });
    this.metrics = metrics;
    this.committer = new Committer({ store, logger: silentLogger, metrics });
    this.inbox = new Inbox({ now, logger: silentLogger, timeoutMs: options.requestTimeoutMs });
    this.host = new SessionHost({
      erasureOf: () => [],
      store,
      epoch,
      instanceId: "i-1",
      now,
      logger: silentLogger,
      limits: { ...DEFAULT_CONFIG.limits, ...options.limits },
      spawner: options.spawner ?? this.spawner,
      committer: this.committer,
      inbox: this.inbox,
      search: new MessageSearch({ store, indexPath: ":memory:", logger: silentLogger }),
      agents: new AgentCatalog(
        options.agents ?? [
          { name: "fake", command: ["fake"], driver: "stream-jsonrpc" },
          { name: "other", command: ["other"], driver: "stream-jsonrpc" },
        ],
        "fake",
      ),
      policies,
      metrics,
      observer: new TurnReports({ logger: silentLogger, metrics, policies }),
      stateDir: options.stateDir,
    });
  }

  /** A client on a wire of memory, not authenticated. */
  dial(through: (transport: Transport) => Transport = (transport) => transport): TestClient {
    return new TestClient(this.link(through));
  }

  /** The client's end of a wire of memory. */
  link(through: (transport: Transport) => Transport = (transport) => transport): Transport {
    const { near, far } = memoryTransport();
    new Connection({
      transport: through(far),
      logger: silentLogger,
      limits: this.#options.connection ?? {},
      share: this.turns.shares.strangers,
      dialect: (self) => {
        const services = {
          host: this.host,
          credentials: this.credentials,
          turns: this.turns,
          reload: async () => ({ applied: [], atNextStart: [] }),
          readMetrics: () => ({ at: 0, startedAt: 0, metrics: [], minutes: this.metrics.ring.minutes() }),
          metrics: this.metrics,
          openConsole: async () => ({ url: "http://127.0.0.1:1/console/#ticket=t", expiresAt: 1 }),
          logger: silentLogger,
        };
        const dialect = new SessionDialect(self, services, { verifyProof: (proof) => proof === "good" });
        this.dialects.push(dialect);
        return dialect;
      },
    });
    return near;
  }

  /** An authenticated client that uses our extensions, as ours does. */
  async connect(): Promise<TestClient> {
    const client = this.dial();
    await client.authenticate({ proof: "good" });
    return client;
  }

  /** An authenticated client of the original wire. */
  async connectPlain(): Promise<TestClient> {
    const client = this.dial();
    await client.authenticate();
    return client;
  }

  /** A client that follows `s-1` and can stop to read. */
  async connectLazy(): Promise<{ client: TestClient; wire: Valve }> {
    let wire: Valve | undefined;
    const client = this.dial((transport) => {
      wire = new Valve(transport);
      return wire;
    });
    await client.authenticate({ proof: "good" });
    await client.loadSession("s-1");
    return { client, wire: wire as unknown as Valve };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.drain(0);
    await this.host.stop();
    await this.store.close();
  }
}
