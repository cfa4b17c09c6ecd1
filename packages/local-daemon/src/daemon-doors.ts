import type { Logger } from "@daemon-sdk/protocol";
import { type Credentials, PERSON, type Principal } from "./access/index.js";
import type { EditorConnections } from "./acp-face/index.js";
import type { AgentCatalog } from "./agents/index.js";
import type { ResolvedConfig } from "./config.js";
import type { LoopShares } from "./connection/index.js";
import type { Console, FleetForConsole } from "./console/index.js";
import { failpoint } from "./failpoint.js";
import { HandOverDoor, type LeaveOrder, type Left } from "./hand-over/index.js";
import type { Committer } from "./journal/index.js";
import type { AcceptedEditor, Listener, ListenerOptions, TlsCertificate } from "./listener/index.js";
import type { MetricsReader } from "./metrics-reader.js";
import type { RelayHost, RelayListener, SpawningParts } from "./relay/index.js";
import type { Claim, Unclaimed } from "./rendezvous/index.js";
import type { SessionConnections } from "./session-connections.js";
import type { SessionHost } from "./sessions/index.js";
import type { Store } from "./storage/index.js";
import { LOCAL_DAEMON_VERSION } from "./version.js";

/** What is behind the doors of a daemon. */
export interface DoorsParts {
  readonly config: ResolvedConfig;
  readonly claim: Claim | Unclaimed;
  readonly store: Store;
  readonly committer: Committer;
  readonly host: SessionHost;
  readonly agents: AgentCatalog;
  readonly credentials: Credentials;
  readonly connections: SessionConnections;
  readonly shares: LoopShares;
  readonly metrics: MetricsReader;
  readonly logger: Logger;
  /** With what the port serves TLS. */
  readonly certificate: TlsCertificate | undefined;
  /** How long the event loop was held, in ms; undefined where it is not measured. */
  loopLagMs(): number | undefined;
  /** Ends the daemon for another one. */
  leave(order: LeaveOrder): Promise<Left>;
}

/** The relay of a daemon, and what accepts its peers. */
export interface OpenRelay {
  readonly host: RelayHost;
  readonly door: RelayListener;
}

/**
 * The ways from outside into a daemon: sockets, the relay, editors, the console, a next daemon. Each is loaded when it is needed: a
 * daemon that only its own program uses needs none of them.
 */
export class DaemonDoors {
  readonly #parts: DoorsParts;
  #listener: Listener | undefined;
  #relay: OpenRelay | undefined;
  #editors: Promise<EditorConnections> | undefined;
  #console: Console | undefined;
  /** The fleet that the console shows. */
  fleet: FleetForConsole | undefined;

  constructor(parts: DoorsParts) {
    this.#parts = parts;
  }

  get listener(): Listener | undefined {
    return this.#listener;
  }

  get relay(): OpenRelay | undefined {
    return this.#relay;
  }

  get console(): Console | undefined {
    return this.#console;
  }

  get editors(): Promise<EditorConnections> | undefined {
    return this.#editors;
  }

  /** Recovers the relay, then binds the sockets. */
  async open(): Promise<void> {
    const [{ RelayHost, RelayListener }, { openListener }] = await Promise.all([
      import("./relay/index.js"),
      import("./listener/index.js"),
    ]);
    this.#relay = await this.#startRelay(RelayHost, RelayListener);
    failpoint("relay-recovered");
    this.#listener = await openListener(this.#listenerOptions(this.#relay.door));
    failpoint("socket-bound");
  }

  /** Serves the port with another certificate from now on. */
  useCertificate(certificate: TlsCertificate | undefined): void {
    this.#listener?.useCertificate(certificate);
  }

  /** Makes a link to the console. */
  async openConsole(principal: Principal): ReturnType<Console["open"]> {
    const { createConsole } = await import("./console/index.js");
    const { claim, credentials, config, logger } = this.#parts;
    this.#console ??= createConsole({
      ...{ listener: () => this.#listener, fleet: () => this.fleet, credentials, logger },
      authenticateMs: config.limits.authenticateMs,
      // `ticket` and `status` find it there.
      onPort: (port) => claim.publishPort(port),
    });
    return this.#console.open(principal);
  }

  async #startRelay(Host: typeof RelayHost, Door: typeof RelayListener): Promise<OpenRelay> {
    const { store, committer, config, credentials, shares } = this.#parts;
    const { limits, now, logger } = config;
    const host = await Host.start({
      ...{ store, committer, limits, now, logger },
      access: config.relayAccess,
      spawning: this.#spawning(),
    });
    // What speaks on the relay is the person's: a ticket of a key's connection opens no door here, and is used up all the same.
    const isTicket = (ticket: string) => credentials.tickets.redeem(ticket) === PERSON;
    return { host, door: new Door({ host, limits, logger, shares, isTicket }) };
  }

  /** What the relay spawns with: the same as sessions. */
  #spawning(): SpawningParts | undefined {
    const { claim, config, host, agents } = this.#parts;
    const { instanceId, socketPath } = claim;
    const { rules, services } = host;
    const { spawner, live } = services;
    if (!config.spawnManager || socketPath === undefined) return undefined;
    // Who spawns acts for nobody's key: its workers are bound as the person's sessions are.
    const workingDirectory = (path: string) => rules.workingDirectory(path, PERSON.keyId);
    return { spawner, live, agents, instanceId, socketPath, workingDirectory };
  }

  #listenerOptions(relay: RelayListener): ListenerOptions {
    const { claim, config, connections, metrics, logger, leave } = this.#parts;
    const { authenticateMs, unauthenticatedSockets } = config.limits;
    const handOver = new HandOverDoor({ authenticateMs, logger, leave });
    return {
      socketPath: claim.privateSocketPath,
      port: config.port,
      certificate: this.#parts.certificate,
      allowedOrigins: config.allowedOrigins,
      allowedHosts: config.allowedHosts,
      token: claim.token,
      instanceId: claim.instanceId,
      version: LOCAL_DAEMON_VERSION,
      health: () => ({
        status: "ok",
        instanceId: claim.instanceId,
        version: LOCAL_DAEMON_VERSION,
        connections: connections.size + relay.size,
        loopLagMs: this.#parts.loopLagMs() ?? 0,
      }),
      metrics: (asker) => metrics.answer(asker),
      onAccept: (accepted) => void connections.accept(accepted),
      onEditorAccept: (accepted) => void this.#acceptEditor(accepted),
      onHandOver: (accepted) => handOver.accept(accepted),
      onRelay: (socket, guest) => relay.acceptSocket(socket, guest),
      onRelayAccept: (accepted) => relay.acceptWebSocket(accepted),
      logger,
      maxUnauthenticated: unauthenticatedSockets,
      authenticateMs,
    };
  }

  /** The transport keeps what comes in until the face is loaded. */
  async #acceptEditor(accepted: AcceptedEditor): Promise<void> {
    this.#editors ??= this.#loadEditors();
    (await this.#editors).accept(accepted);
  }

  async #loadEditors(): Promise<EditorConnections> {
    const { EditorConnections } = await import("./acp-face/index.js");
    const { connections, shares, config, logger } = this.#parts;
    return new EditorConnections({
      serve: (link) => connections.accept(link),
      strangers: shares.strangers,
      limits: config.limits,
      logger,
    });
  }
}
