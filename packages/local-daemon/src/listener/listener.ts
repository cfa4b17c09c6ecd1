import { createServer, type Server, type Socket } from "node:net";
import { DAEMON_LIMITS, SERVING_LIMITS } from "../limits/index.js";
import { bindTcp, bindUnix } from "./bind.js";
import { onFirstByte } from "./first-byte.js";
import { HttpFront, type HttpFrontOptions, type PageSite, type Via } from "./http-front.js";
import { type PendingSocket, PendingSockets } from "./pending-sockets.js";
import { onSecured } from "./secure-socket.js";
import type { TlsCertificate } from "./tls-certificate.js";

/** Options of {@link openListener}. */
export interface ListenerOptions extends HttpFrontOptions {
  /** Bind a unix socket here, mode 0600. Give a private name and rename it: the listener never unlinks another name. */
  readonly socketPath?: string | undefined;
  /** Listen on 127.0.0.1, too; 0 picks a free port. */
  readonly port?: number | undefined;
  /** Serves TLS on the port, too; `allowedHosts` are then served over TLS only. Default: none. */
  readonly certificate?: TlsCertificate | undefined;
  /** Called with a unix socket whose first byte starts a relay frame; its bytes are unread. If absent, such sockets are refused. */
  onRelay?(socket: Socket, pending: PendingSocket): void;
  /** Default `DAEMON_LIMITS.unauthenticatedSockets`. */
  readonly maxUnauthenticated?: number | undefined;
  /** From accept to authenticated; a socket that has not upgraded by then is cut. Default `DAEMON_LIMITS.authenticateMs`. */
  readonly authenticateMs?: number | undefined;
}

/** The open listener of a daemon. */
export interface Listener {
  /** The TCP port that was bound. */
  readonly port: number | undefined;
  readonly socketPath?: string;
  /**
   * Serves these pages from now on. Opens a free port of 127.0.0.1 where the daemon listens on none, as no page reaches a unix
   * socket. Resolves with the port.
   */
  openSite(site: PageSite): Promise<number>;
  /** Shows another certificate to connections from now on; undefined: TLS is no longer served. */
  useCertificate(certificate: TlsCertificate | undefined): void;
  /** Stops accepting and cuts what has not upgraded. Accepted connections stay open: their owner closes them. */
  close(): Promise<void>;
}

/**
 * Opens the daemon's listening sockets: the unix socket, TCP on 127.0.0.1, or both. Each serves HTTP with `/health` and the
 * WebSocket upgrade at `/`, `/relay` and `/acp`; the first byte decides, so that relay frames can share the unix socket, and TLS the
 * port.
 *
 * Rejects with an `InvalidOptionError`, or with `DAEMON_START_FAILED` when an address is taken.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const intake = new SocketIntake(options);
  try {
    await intake.open();
  } catch (error) {
    intake.close();
    throw error;
  }
  return {
    get port() {
      return intake.port;
    },
    openSite: (site) => intake.openSite(site),
    useCertificate: (certificate) => intake.useCertificate(certificate),
    ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
    close: async () => intake.close(),
  };
}

/** Enables TCP keep-alive, which detects peers that vanish without an end, as after the loss of a tunnel. A unix socket has none of those. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: SERVING_LIMITS.tcpKeepAliveMs };

/** Handles an accepted socket by its first byte. */
class SocketIntake {
  readonly #options: ListenerOptions;
  readonly #http: HttpFront;
  readonly #room: PendingSockets;
  readonly #servers: Server[] = [];
  #certificate: TlsCertificate | undefined;
  #late: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#http = new HttpFront(options);
    this.useCertificate(options.certificate);
    this.#room = new PendingSockets({
      capacity: options.maxUnauthenticated ?? DAEMON_LIMITS.unauthenticatedSockets,
      timeoutMs: options.authenticateMs ?? DAEMON_LIMITS.authenticateMs,
      logger: options.logger,
    });
  }

  /** The TCP port that was bound. */
  get port(): number | undefined {
    return this.#http.port;
  }

  async open(): Promise<void> {
    const { socketPath, port } = this.#options;
    if (socketPath !== undefined) this.#servers.push(await bindUnix(this.#server("unix"), socketPath));
    if (port !== undefined) await this.#openPort(port);
    for (const server of this.#servers) this.#logErrors(server);
  }

  useCertificate(certificate: TlsCertificate | undefined): void {
    this.#certificate = certificate;
    this.#http.hasTls = certificate !== undefined;
  }

  async openSite(site: PageSite): Promise<number> {
    if (this.port === undefined) {
      this.#late ??= this.#openPort(0).then((server) => this.#logErrors(server));
      // A port that could not be had now may be had for the next link.
      await this.#late.finally(() => {
        this.#late = undefined;
      });
    }
    this.#http.site = site;
    return this.port ?? 0;
  }

  async #openPort(port: number): Promise<Server> {
    const server = await bindTcp(this.#server("tcp"), port);
    if (this.#isClosed) server.close();
    this.#servers.push(server);
    this.#http.port = portOf(server);
    return server;
  }

  #logErrors(server: Server): void {
    // For example no free file descriptor for one connection; the next one may succeed.
    server.on("error", (error) =>
      this.#options.logger.error({ error: error.message }, "could not accept a connection"),
    );
  }

  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers) server.close();
    this.#room.clear();
  }

  /** A server for one address, not yet bound. */
  #server(via: Via): Server {
    // Half-open sockets are what node:http itself asks for: a client may end its side after the request.
    const options = { allowHalfOpen: true, noDelay: true, ...(via === "tcp" ? KEEP_ALIVE : {}) };
    return createServer(options, (socket) => this.#accept(socket, via));
  }

  #accept(socket: Socket, via: Via): void {
    const pending = this.#room.admit(socket);
    // A peer may reset at any time, and until the upgrade nothing else listens for it.
    socket.on("error", () => {});
    onFirstByte(socket, (kind) => {
      pending.spoke();
      const certificate = via === "tcp" ? this.#certificate : undefined;
      if (kind === "tls" && certificate !== undefined) {
        onSecured(socket, certificate, (inside) => this.#http.serve(inside, via, pending));
      } else if (kind === "http") this.#http.serve(socket, via, pending);
      else if (kind === "relay" && via === "unix" && this.#options.onRelay) this.#options.onRelay(socket, pending);
      else socket.destroy();
    });
  }
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : undefined;
}
