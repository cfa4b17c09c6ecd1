import {
  CloseCode,
  type ConnectionError,
  type Logger,
  METHODS,
  memoryTransport,
  ProtocolEngine,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { Connection, type Dialect, type LoopShare } from "../connection/index.js";
import type { DaemonLimits } from "../limits/index.js";
import { AcpFace, type EditorCredential } from "./acp-face.js";
import type { AuthenticatedEngine } from "./daemon-link.js";

/** A link of the session wire that the face opens within the daemon. */
export interface InnerLink {
  readonly transport: Transport;
  readonly acceptedAt: number;
  verifyProof(proof: string): boolean;
  /** The credential was accepted. @param share as of {@link EditorConnectionsOptions.strangers}, of its principal */
  markAuthenticated(share: LoopShare): void;
}

/** A link that an editor opened. */
export interface EditorLink extends Omit<InnerLink, "markAuthenticated"> {
  /** The credential was accepted. */
  markAuthenticated(): void;
  /** The header `Authorization` of the upgrade. */
  readonly authorization?: string | undefined;
}

/** Options of {@link EditorConnections}. */
export interface EditorConnectionsOptions {
  /** Serves the session wire on a link, as for every other client. */
  serve(link: InnerLink): Promise<void>;
  /** The share of the loop that an editor's messages count to until it has authenticated. */
  readonly strangers: LoopShare;
  readonly limits: DaemonLimits;
  readonly logger: Logger;
}

/**
 * The editors that are connected to the daemon itself, at the path `/acp`.
 *
 * Each has a face in this process, which is a client of the session wire over a link in memory. So an editor authenticates, reaches
 * sessions and is bounded as a client at `/` is, and its connection ends with that link.
 */
export class EditorConnections {
  readonly #options: EditorConnectionsOptions;
  readonly #open = new Set<Connection>();

  constructor(options: EditorConnectionsOptions) {
    this.#options = options;
  }

  accept(link: EditorLink): void {
    const { limits, logger, strangers } = this.#options;
    const connection = new Connection({
      transport: link.transport,
      logger,
      share: strangers,
      elapsedMs: performance.now() - link.acceptedAt,
      limits: {
        handshakeMs: limits.authenticateMs,
        bufferBytes: limits.connectionBufferBytes,
        slowMs: limits.slowConsumerMs,
        closeMs: limits.closeTimeoutMs,
      },
      dialect: (self) => new EditorDialect(self, link, this.#options),
    });
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
  }

  /** Closes all; resolves when they have ended. */
  async close(): Promise<void> {
    for (const connection of this.#open) connection.close(CloseCode.goingAway, "the daemon stops");
    await Promise.all([...this.#open].map(({ closed }) => closed));
  }
}

/** The Agent Client Protocol on one connection of the daemon. */
class EditorDialect implements Dialect {
  readonly name = "acp";
  readonly #connection: Connection;
  readonly #face: AcpFace;
  readonly #engine: ProtocolEngine;

  constructor(connection: Connection, link: EditorLink, { serve, logger }: EditorConnectionsOptions) {
    this.#connection = connection;
    const { near, far } = memoryTransport({ logger });
    this.#engine = new ProtocolEngine(near, { prefix: "daemon", logger });
    this.#engine.onClose = (_error, event) => this.#end(event);
    this.#face = new AcpFace({
      output: connection,
      logger,
      mustAuthenticate: true,
      isLasting: false,
      connect: (_start, credential) => this.#authenticate(credential),
      onEnd: (_error: ConnectionError, event: TransportClose) => this.#end(event),
    });
    const markAuthenticated = (share: LoopShare) => {
      connection.accept("acp", { share });
      link.markAuthenticated();
    };
    serve({ ...link, transport: far, markAuthenticated }).catch((error: unknown) => {
      logger.error({ error: String(error) }, "an editor could not be served");
      connection.close(CloseCode.internalError);
    });
    const credential = bearerOf(link.authorization);
    // A refused credential is answered like one in `authenticate`: the third ends the connection.
    if (credential !== undefined) this.#face.authenticate(credential).catch(() => {});
  }

  onMessage(text: string): void {
    this.#face.receive(text);
  }

  onClose(): void {
    this.#face.end();
    this.#engine.close();
  }

  async #authenticate(credential: EditorCredential): Promise<AuthenticatedEngine> {
    const { capabilities = {} } = await this.#engine.request(METHODS.authenticate, { ...credential, caller: "acp" });
    return { engine: this.#engine, capabilities };
  }

  #end({ code, reason }: TransportClose): void {
    this.#connection.close(code === NO_CODE ? CloseCode.internalError : code, reason);
  }
}

/** The code of an end without one, which nobody may send. */
const NO_CODE = 1006;

/** A key, the token or a ticket; which of them it is shows when it is checked. */
function bearerOf(authorization: string | undefined): EditorCredential | undefined {
  const secret = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
  return secret === undefined ? undefined : { token: secret, ticket: secret };
}
