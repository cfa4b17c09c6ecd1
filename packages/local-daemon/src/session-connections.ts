import { CloseCode, type GetMetricsResult, type Logger, type Transport } from "@daemon-sdk/protocol";
import type { Credentials, Principal } from "./access/index.js";
import { Connection, type ConnectionLimits, type LoopShare, type LoopShares } from "./connection/index.js";
import { type DaemonLimits, PROCESS_LIMITS } from "./limits/index.js";
import type { DaemonMetrics } from "./metrics/index.js";
import type { DialectServices, OpenConsole, Reload } from "./session-wire/index.js";
import type { SessionHost } from "./sessions/index.js";

/** A link of the session wire that this daemon is to serve. */
export interface SessionLink {
  readonly transport: Transport;
  /** Whose link it is. Absent: the peer authenticates. */
  readonly principal?: Principal | undefined;
  /** `performance.now()` at accept: the deadline of the handshake counts from here. Default: now. */
  readonly acceptedAt?: number;
  /** Whether a proof was made for this very link. Absent: no proof is valid. */
  verifyProof?(proof: string): boolean;
  /** Called when a credential was accepted, with the share of the loop that its principal's messages count to. */
  markAuthenticated?(share: LoopShare): void;
}

/** Options of {@link SessionConnections}. */
export interface SessionConnectionsOptions {
  readonly host: SessionHost;
  readonly credentials: Credentials;
  readonly shares: LoopShares;
  readonly limits: DaemonLimits;
  readonly logger: Logger;
  readonly reload: Reload;
  /** Answer to `get_metrics`. */
  readMetrics(): GetMetricsResult;
  readonly metrics: DaemonMetrics;
  readonly openConsole: OpenConsole;
}

/**
 * The session wire, with the schemas of every method. Loaded after the endpoint is published: loading takes a tenth of a cold
 * start, and no client has connected before.
 */
const loadSessionWire = () => import("./session-wire/index.js");

/** The daemon's connections of the session wire, whoever accepted their links. */
export class SessionConnections {
  readonly #options: SessionConnectionsOptions;
  readonly #open = new Set<Connection>();
  #wire: ReturnType<typeof loadSessionWire> | undefined;
  readonly #limits: ConnectionLimits;
  #services: DialectServices | undefined;
  #preload: NodeJS.Timeout | undefined;
  #isDraining = false;

  constructor(options: SessionConnectionsOptions) {
    this.#options = options;
    const { limits } = options;
    this.#limits = {
      handshakeMs: limits.authenticateMs,
      bufferBytes: limits.connectionBufferBytes,
      slowMs: limits.slowConsumerMs,
      closeMs: limits.closeTimeoutMs,
    };
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Loads what the first connection needs, after a while. Loading holds the loop, and who started the daemon connects at once: its
   * handshake comes first, and the connection then loads the rest while that client makes its proof.
   */
  preloadSoon(): void {
    this.#preload = setTimeout(() => void this.#loaded(), PROCESS_LIMITS.preloadAfterMs).unref();
  }

  /**
   * Serves a link until it ends. The transport keeps its messages, and its end, until the dialect is loaded.
   *
   * Rejects with `QUEUE_FULL` when the principal has as many connections as it may have; the link is untouched then.
   */
  async accept(link: SessionLink): Promise<void> {
    const { SessionDialect } = await this.#loaded();
    const services = await this.#dialectServices();
    const { turns, logger, metrics } = services;
    const { transport, principal, acceptedAt } = link;
    turns.connections.check(principal?.keyId);
    const connection = new Connection({
      transport,
      logger,
      elapsedMs: acceptedAt === undefined ? 0 : performance.now() - acceptedAt,
      share: turns.shares.strangers,
      limits: this.#limits,
      dialect: (self) =>
        new SessionDialect(self, services, {
          principal,
          verifyProof: (proof) => link.verifyProof?.(proof) ?? false,
          onAuthenticated: (share) => link.markAuthenticated?.(share),
        }),
    });
    turns.connections.add(principal?.keyId, connection);
    this.#open.add(connection);
    metrics.connectionsAccepted.add();
    void connection.closed.then(() => this.#open.delete(connection));
    if (this.#isDraining) connection.close(CloseCode.goingAway, "the daemon stops");
  }

  #loaded(): ReturnType<typeof loadSessionWire> {
    this.#wire ??= loadSessionWire();
    return this.#wire;
  }

  async #dialectServices(): Promise<DialectServices> {
    const { SharedTurns } = await this.#loaded();
    const { logger, shares } = this.#options;
    this.#services ??= { ...this.#options, turns: new SharedTurns(logger, shares) };
    return this.#services;
  }

  /** Closes those of configured keys that are gone. */
  closeKeys(keyIds: readonly string[]): void {
    this.#services?.turns.connections.close(keyIds);
  }

  /** From here on a new connection is closed at once. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Closes all; resolves when they have ended, and nothing is loaded any more. */
  async close(): Promise<void> {
    this.drain();
    clearTimeout(this.#preload);
    await this.#wire?.catch(() => {});
    for (const connection of this.#open) connection.close(CloseCode.goingAway, "the daemon stops");
    await Promise.all([...this.#open].map(({ closed }) => closed));
  }
}
