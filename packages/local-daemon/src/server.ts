import type { FleetMoves, Logger, ReplicaSource, Transport } from "@daemon-sdk/protocol";
import type { FleetRelay } from "@daemon-sdk/protocol/relay";
import { Credentials, checkPrincipal, KeyPolicies, type Principal, Tickets } from "./access/index.js";
import {
  type AgentCatalog,
  AgentGuard,
  agentStateDirOf,
  createAgentSpawner,
  LoginShell,
  reapLeftovers,
} from "./agents/index.js";
import { type DaemonConfig, type ResolvedConfig, resolveConfig } from "./config.js";
import { ConfigReload, type ReloadReport } from "./config-reload.js";
import { agentCatalog, findNamedAgents } from "./configured-agents.js";
import { certificateOf } from "./configured-certificate.js";
import { LoopShares } from "./connection/index.js";
import type { FleetForConsole } from "./console/index.js";
import { DaemonDoors } from "./daemon-doors.js";
import { DaemonEnding } from "./daemon-ending.js";
import type { Daemon, DaemonEndpoint } from "./daemon-handle.js";
import { failpoint } from "./failpoint.js";
import { type LeaveOrder, type Left, Succession, whyEnded } from "./hand-over/index.js";
import { Inbox } from "./inbox/index.js";
import { Committer } from "./journal/index.js";
import type { TlsCertificate } from "./listener/index.js";
import { MetricsReader } from "./metrics-reader.js";
import { StoreMoves } from "./moves/index.js";
import { Observation } from "./observation.js";
import { daemonStopping, restartedElsewhere } from "./refusals.js";
import { type Claim, claimStateDir, type Unclaimed, unclaimed } from "./rendezvous/index.js";
import { SessionReplica } from "./replica/index.js";
import { Retention } from "./retention/index.js";
import { MessageSearch } from "./search/index.js";
import { SessionConnections } from "./session-connections.js";
import { recover, SessionHost } from "./sessions/index.js";
import { MemoryStore, SqliteStore, type Store } from "./storage/index.js";
import { loadOtel, type OtelApi } from "./tracing/index.js";
import { LOCAL_DAEMON_VERSION } from "./version.js";

export type {
  ArrivalChanges,
  ArrivalState,
  FleetMoves,
  LeaveOrder,
  LeavingSession,
  MoveOrder,
  MoveState,
  SessionPiece,
} from "@daemon-sdk/protocol";
export type {
  FleetRelay,
  MailAccount,
  MailCarrier,
  MailExchange,
  MailLetter,
  MailReport,
  NamePlace,
} from "@daemon-sdk/protocol/relay";
export { type ConfiguredKey, type KeyPolicy, type KeyQuotas, PERSON, type Principal } from "./access/index.js";
export type { Agent, AgentEvents, AgentSpawner, AgentSpec } from "./agents/index.js";
export {
  type ConfigReading,
  type ConfiguredAgent,
  type DaemonConfig,
  DEFAULT_CONFIG,
  type ResolvedConfig,
} from "./config.js";
export type { ReloadReport } from "./config-reload.js";
export type { FleetForConsole, ShownAnswer, ShownFleet, ShownMachine, ShownSession } from "./console/index.js";
export type { Daemon, DaemonEndpoint } from "./daemon-handle.js";
export type { HandOver } from "./hand-over/index.js";
export type { DaemonLimits } from "./limits/index.js";
export type { TlsFiles } from "./listener/index.js";
export type { RetentionOptions } from "./retention/index.js";
export { MemoryStore, SqliteStore, type SqliteStoreOptions } from "./storage/index.js";
export type * from "./stored-types.js";

/**
 * Starts a daemon in this process; resolves when clients can find it and connect. Without a state directory and a port, clients
 * connect by {@link Daemon.accept} only.
 *
 * Rejects with `DAEMON_ALREADY_RUNNING`, `STATE_DIR_UNSAFE`, `STORAGE_FULL`, `STORAGE_FAILED`, `DAEMON_START_FAILED` or an
 * `InvalidOptionError`, and holds nothing then.
 */
export async function createDaemon(config: DaemonConfig = {}): Promise<Daemon> {
  const resolved = resolveConfig(config);
  const { stateDir, logger } = resolved;
  const loginShell = new LoginShell({ isRead: resolved.loginShell, logger });
  await findNamedAgents(resolved, loginShell);
  const certificate = await certificateOf(resolved);
  const claim = stateDir === false ? unclaimed() : await claimStateDir({ stateDir, logger });
  const start = async (isAgain = false): Promise<RunningDaemon> => {
    const store = storeOf(resolved, claim);
    try {
      const { epoch } = await store.open();
      failpoint("store-opened");
      const otel = await loadOtel();
      return await RunningDaemon.start({ config: resolved, claim, store, epoch, loginShell, otel, certificate });
    } catch (error) {
      await store.close().catch(() => {});
      // A start reads more than opening the store does.
      if (!isAgain && store instanceof SqliteStore && store.opensRepairedAfter(error)) return start(true);
      throw error;
    }
  };
  try {
    return await start();
  } catch (error) {
    await claim.release();
    throw error;
  }
}

function storeOf({ store, now, logger }: ResolvedConfig, { databasePath: path }: Claim | Unclaimed): Store {
  return store ?? (path === undefined ? new MemoryStore({ now }) : new SqliteStore({ path, now, logger }));
}

interface Parts {
  readonly config: ResolvedConfig;
  readonly claim: Claim | Unclaimed;
  readonly store: Store;
  readonly epoch: number;
  readonly loginShell: LoginShell;
  readonly otel: OtelApi | undefined;
  readonly certificate: TlsCertificate | undefined;
}

class RunningDaemon implements Daemon {
  readonly closed: Promise<void>;
  readonly #parts: Parts;
  readonly #logger: Logger;
  readonly #host: SessionHost;
  readonly #search: MessageSearch;
  readonly #committer: Committer;
  readonly #agents: AgentCatalog;
  readonly #credentials: Credentials;
  readonly #reload: ConfigReload;
  readonly #connections: SessionConnections;
  readonly #drainCut = new AbortController();
  readonly #guard: AgentGuard | undefined;
  #succession: Succession | undefined;
  #retention: Retention | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #resolveClosed!: () => void;
  readonly #shares = new LoopShares();
  readonly #observation: Observation;
  readonly #metricsReader: MetricsReader;
  readonly #doors: DaemonDoors;
  readonly #moves: StoreMoves;
  readonly #replica: SessionReplica;

  static async start(parts: Parts): Promise<RunningDaemon> {
    const daemon = new RunningDaemon(parts);
    await daemon.#start();
    return daemon;
  }

  private constructor(parts: Parts) {
    const { config, claim, store, epoch, loginShell, otel } = parts;
    const { logger, limits, now } = config;
    this.#parts = parts;
    this.#logger = logger;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const { instanceId, stateDir, token } = claim;
    // Without a state directory the daemon is a part of a program.
    if (stateDir === undefined) this.#guard = new AgentGuard({ instanceId });
    const policies = new KeyPolicies(config.apiKeys);
    this.#observation = new Observation({ logger, policies, now, limits, otel, ownsLoop: stateDir !== undefined });
    const { metrics, turns: observer } = this.#observation;
    this.#credentials = new Credentials({ token, apiKeys: config.apiKeys, tickets: new Tickets({ now, policies }) });
    this.#committer = new Committer({
      ...{ store, logger, metrics, onLoad: (owner, ms) => this.#onLoad(owner, ms) },
      onCommitted: (writes) => this.#replica.committed(writes),
    });
    this.#replica = new SessionReplica({ store, committer: this.#committer, now });
    this.#agents = agentCatalog(config, loginShell);
    loginShell.onRead = () => this.#agents.complete();
    this.#search = new MessageSearch({ store, indexPath: claim.searchPath, logger });
    this.#host = new SessionHost({
      ...{ store, epoch, instanceId, limits, now, logger, policies, stateDir, metrics, observer },
      spawner: config.spawner ?? createAgentSpawner({ instanceId, stateDir, logger, guard: this.#guard, loginShell }),
      committer: this.#committer,
      inbox: new Inbox({ now, logger, timeoutMs: config.requestTimeoutMs }),
      search: this.#search,
      agents: this.#agents,
      erasureOf: (id) => this.#replica.erasureOf(id),
    });
    this.#moves = new StoreMoves(this.#host);
    this.#connections = this.#sessionConnections();
    this.#metricsReader = this.#readMetrics();
    this.#reload = this.#makeReload(policies);
    this.#doors = this.#makeDoors();
    // The first reading happens here: every part has to be there.
    this.#observation.export(() => this.#metricsReader.read().metrics);
  }

  #makeReload(policies: KeyPolicies): ConfigReload {
    const { config, loginShell, certificate } = this.#parts;
    return new ConfigReload({
      ...{ config, policies, logger: this.#logger, agents: this.#agents, credentials: this.#credentials, loginShell },
      ...{ certificate, useCertificate: (other) => this.#doors.useCertificate(other) },
      closeKeys: (keyIds) => this.#connections.closeKeys(keyIds),
      recheck: () => this.#host.services.live.recheck(),
    });
  }

  #sessionConnections(): SessionConnections {
    const { limits, logger } = this.#parts.config;
    const { metrics } = this.#observation;
    return new SessionConnections({
      ...{ host: this.#host, credentials: this.#credentials, shares: this.#shares, limits, logger, metrics },
      readMetrics: () => this.#metricsReader.read(),
      reload: (check) => this.#reload.read(check),
      openConsole: (principal) => this.#doors.openConsole(principal),
    });
  }

  #makeDoors(): DaemonDoors {
    const { config, claim, store, certificate } = this.#parts;
    return new DaemonDoors({
      ...{ config, claim, store, certificate, logger: this.#logger, committer: this.#committer, host: this.#host },
      ...{ agents: this.#agents, credentials: this.#credentials, connections: this.#connections, shares: this.#shares },
      metrics: this.#metricsReader,
      loopLagMs: () => this.#observation.loopLagMs,
      leave: (order) => this.#leave(order),
    });
  }

  #readMetrics(): MetricsReader {
    const { config, claim } = this.#parts;
    const { metrics } = this.#observation;
    return new MetricsReader({
      ...{ metrics, host: this.#host, credentials: this.#credentials, now: config.now },
      storePath: claim.databasePath,
      measure: () => ({
        connections: this.#connections.size,
        relayConnections: this.#doors.relay?.door.size ?? 0,
        outboxes: this.#doors.relay?.host.outboxFigures() ?? [],
        replica: this.#replica.lag,
        loopLagMs: this.#observation.loopLagMs,
      }),
    });
  }

  get endpoint(): DaemonEndpoint {
    const { instanceId, socketPath } = this.#parts.claim;
    const port = this.#doors.listener?.port;
    const address = { ...(socketPath === undefined ? {} : { socketPath }), ...(port === undefined ? {} : { port }) };
    return { ...address, pid: process.pid, instanceId, version: LOCAL_DAEMON_VERSION };
  }

  get relay(): FleetRelay | undefined {
    return this.#doors.relay?.host.exchange;
  }

  get replica(): ReplicaSource {
    return this.#replica;
  }

  get moves(): FleetMoves {
    return this.#moves;
  }

  async accept(transport: Transport, principal?: Principal): Promise<void> {
    if (principal !== undefined) checkPrincipal(principal);
    await this.#connections.accept({ transport, principal });
  }

  showFleet(fleet: FleetForConsole | undefined): void {
    this.#doors.fleet = fleet;
  }

  close(options: { drainMs?: number } = {}): Promise<void> {
    const drainMs = options.drainMs ?? this.#parts.config.limits.drainMs;
    if (this.#closing !== undefined) {
      if (drainMs === 0) this.#drainCut.abort();
      return this.#closing;
    }
    this.#closing = this.#ending.close(drainMs).finally(() => this.#resolveClosed());
    return this.#closing;
  }

  reload(config: DaemonConfig): Promise<ReloadReport> {
    return this.#reload.apply(config);
  }

  async #start(): Promise<void> {
    const { claim, config } = this.#parts;
    const succession = await Succession.find(claim, this.#logger);
    this.#succession = succession;
    try {
      await this.#reap(succession);
      failpoint("agents-reaped");
      await this.#replica.open();
      for (const session of succession.environments) this.#host.rules.environments.set(session);
      const { waiting } = await recover(this.#host, this.#logger, succession.sessions);
      failpoint("sessions-recovered");
      if (claim.socketPath !== undefined || config.port !== undefined) await this.#doors.open();
      await claim.publish({ port: this.#doors.listener?.port, program: config.program });
      await succession.adopt(this.#logger);
      this.#connections.preloadSoon();
      this.#sweeper = setInterval(() => this.#host.sweep(), config.limits.sweepMs).unref();
      this.#retention = new Retention({ host: this.#host, wanted: () => this.#reload.retention });
      this.#retention.start();
      for (const session of waiting) session.turns.release();
      void this.#host.copies.dropLeft().then(() => this.#moves.dropOld());
    } catch (error) {
      succession.close();
      await this.#doors.listener?.close();
      await this.#doors.relay?.host.stop();
      await this.#search.close();
      this.#observation.close();
      throw error;
    }
  }

  /** Reading and parsing what a session's agent wrote took as long as storing and delivering it. */
  #onLoad(owner: string | undefined, ms: number): void {
    this.#shares.of(owner).owe(2 * ms);
    this.#host.holdAgents(owner, (released) => this.#shares.oncePaid(owner, released));
  }

  /** Two agents must never work on one conversation: those of an earlier daemon go first. */
  async #reap({ marks: held }: Succession): Promise<void> {
    const { store, claim } = this.#parts;
    const all = await store.agentProcesses();
    const rows = all.filter(
      ({ instanceId, sessionId }) =>
        !held.some((mark) => mark.instanceId === instanceId && mark.sessionId === sessionId),
    );
    // A daemon that released its claim stopped its agents; a scan of every process of the machine costs a cold start 10 ms.
    if (rows.length === 0 && !claim.wasAbandoned) return;
    const place = claim.stateDir === undefined ? {} : { agentStateDir: agentStateDirOf(claim.stateDir) };
    await reapLeftovers(rows, claim.instanceId, this.#logger, { ...place, held });
    failpoint("leftovers-killed");
    await store.commit(rows.map(({ pid }) => ({ kind: "agentProcessGone", pid })));
  }

  /** Ends for a daemon that takes its place, or by order with a deadline. Rejects when it cannot. */
  async #leave(order: LeaveOrder): Promise<Left> {
    if (this.#closing !== undefined) throw daemonStopping();
    if (!order.isStop && this.#parts.config.onHandOver === undefined) throw restartedElsewhere();
    const port = this.#doors.listener?.port;
    const end = order.isStop ? this.#ending.close(order.waitMs ?? 0, whyEnded(order)) : this.#ending.handOver(order);
    // The asker gets a failure; for a later `close` the daemon has ended either way.
    this.#closing = end.catch(() => {}).finally(() => this.#resolveClosed());
    await end;
    return { instanceId: this.#parts.claim.instanceId, ...(port === undefined ? {} : { port }) };
  }

  get #ending(): DaemonEnding {
    const { listener, relay, editors, console } = this.#doors;
    return new DaemonEnding({
      ...{ ...this.#parts, listener, relay, editors, console, host: this.#host, connections: this.#connections },
      ...{ search: this.#search, retention: this.#retention, observation: this.#observation, guard: this.#guard },
      ...{ sweeper: this.#sweeper, succession: this.#succession, drainCut: this.#drainCut.signal },
    });
  }
}
