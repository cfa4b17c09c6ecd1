import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { LIMITS, type Logger, type Transport } from "@daemon-sdk/protocol";
import { acceptBytes, acceptWebSocket, type ByteLink } from "@daemon-sdk/transport-ws";
import {
  createNonce,
  createProof,
  isNonce,
  PROOF_HEADERS,
  type ProofContext,
  tcpAuthority,
  UNIX_AUTHORITY,
  verifyProof,
} from "../access/index.js";
import { bindTcp, bindUnix } from "./bind.js";
import { onFirstByte } from "./first-byte.js";
import { parseAllowedOrigins, refusalOf } from "./origin-check.js";
import { type Guest, WaitingRoom } from "./waiting-room.js";

/** A WebSocket of the session wire that was let in but has not authenticated. */
export interface Accepted extends Admitted {
  readonly transport: Transport;
}

/** A WebSocket of the relay wire that was let in; its messages are chunks of a stream of frames. Start it at once. */
export interface AcceptedBytes extends Admitted {
  readonly bytes: ByteLink;
}

/** What is known of a WebSocket that was let in but has not authenticated. */
export interface Admitted {
  readonly via: "unix" | "tcp";
  /** `performance.now()` at accept: `authenticateMs` counts from here. */
  readonly acceptedAt: number;
  /** Whether the proof was made by a holder of the token for this very upgrade; false when the upgrade had no nonce. */
  verifyProof(proof: string): boolean;
  /** Call it once the credential was accepted: the socket stops counting as unauthenticated. */
  markAuthenticated(): void;
}

export interface ListenerOptions {
  /** Bind a unix socket here, mode 0600. Give a private name and rename it: the listener never unlinks another name. */
  readonly socketPath?: string | undefined;
  /** Listen on 127.0.0.1, too; 0 picks a free port. */
  readonly port?: number | undefined;
  /** Web pages that may connect, as exact origins. Default none; programs send no Origin and are not affected. */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly token: string;
  readonly instanceId: string;
  readonly version: string;
  /** Body of `GET /health`. Anybody on this machine can read it: no secrets. */
  health(): object;
  /** Called for each upgraded socket, before any of its messages is delivered. */
  onAccept(accepted: Accepted): void;
  /** Takes a unix socket whose first byte starts a relay frame (its bytes are still unread). Without it, they are refused. */
  onRelay?(socket: Socket, guest: Guest): void;
  /** Takes a WebSocket at `/relay`. Without it, there is none. */
  onRelayAccept?(accepted: AcceptedBytes): void;
  readonly logger: Logger;
  /** Default `LIMITS.unauthenticatedSockets`. */
  readonly maxUnauthenticated?: number | undefined;
  /** Accept to authenticated; the listener cuts what has not upgraded by then. Default `LIMITS.authenticateMs`. */
  readonly authenticateMs?: number | undefined;
}

/** The open doors of a daemon. */
export interface Listener {
  /** The TCP port that was bound. */
  readonly port?: number;
  readonly socketPath?: string;
  /** Stops accepting and cuts what has not upgraded. Connections that were accepted belong to whoever took them. */
  close(): Promise<void>;
}

/**
 * Opens the daemon's doors: the unix socket, TCP on 127.0.0.1, or both. Each carries HTTP with `/health` and the
 * WebSocket upgrade at `/`; the first byte decides, so that relay frames can share the unix socket.
 *
 * Rejects with an `InvalidOptionError`, or with `DAEMON_START_FAILED` when an address is taken.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const front = new HttpFront(options);
  const servers: Server[] = [];
  const closeAll = () => {
    for (const server of servers) server.close();
    front.close();
  };
  try {
    if (options.socketPath !== undefined) servers.push(await bindUnix(front.door("unix"), options.socketPath));
    if (options.port !== undefined) {
      const server = await bindTcp(front.door("tcp"), options.port);
      servers.push(server);
      front.port = portOf(server);
    }
  } catch (error) {
    closeAll();
    throw error;
  }
  for (const server of servers) {
    // Such as no free file descriptor for one connection; the next one may succeed.
    server.on("error", (error) => options.logger.error({ error: error.message }, "could not accept a connection"));
  }
  return {
    ...(front.port === undefined ? {} : { port: front.port }),
    ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
    close: async () => closeAll(),
  };
}

/** A peer that is gone without a word, as after a tunnel's end, is found by the system; on a unix socket there is none. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: LIMITS.tcpKeepAliveMs };

type Via = Accepted["via"];

/** What is known of a socket while HTTP has it. */
interface Visitor {
  readonly via: Via;
  readonly guest: Guest;
}

/** From accepted socket to upgraded WebSocket. One HTTP server that never listens itself; sockets are handed to it. */
class HttpFront {
  readonly #options: ListenerOptions;
  readonly #allowedOrigins: ReadonlySet<string>;
  readonly #room: WaitingRoom;
  readonly #http: HttpServer;
  readonly #visitors = new WeakMap<object, Visitor>();
  /** The TCP port once it is bound; part of what Host must be and of what is proven. */
  port: number | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#allowedOrigins = parseAllowedOrigins(options.allowedOrigins ?? []);
    this.#room = new WaitingRoom({
      capacity: options.maxUnauthenticated ?? LIMITS.unauthenticatedSockets,
      timeoutMs: options.authenticateMs ?? LIMITS.authenticateMs,
      logger: options.logger,
    });
    this.#http = createHttpServer((request, response) => this.#onRequest(request, response));
    this.#http.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#onUpgrade(request, socket, head),
    );
  }

  /** A server for one address, not yet bound. */
  door(via: Via): Server {
    // Half-open sockets are what node:http itself asks for: a client may end its side after the request.
    const options = { allowHalfOpen: true, noDelay: true, ...(via === "tcp" ? KEEP_ALIVE : {}) };
    return createServer(options, (socket) => this.#onSocket(socket, via));
  }

  close(): void {
    this.#room.clear();
  }

  #onSocket(socket: Socket, via: Via): void {
    const guest = this.#room.admit(socket);
    this.#visitors.set(socket, { via, guest });
    // A peer may reset at any time, and until the upgrade there is nobody else to hear it.
    socket.on("error", () => {});
    onFirstByte(socket, (kind) => {
      guest.spoke();
      if (kind === "http") this.#http.emit("connection", socket);
      else if (kind === "relay" && via === "unix" && this.#options.onRelay) this.#options.onRelay(socket, guest);
      else socket.destroy();
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    // One request per socket: what stays open without upgrading would only wait for its timer.
    response.shouldKeepAlive = false;
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) answer(response, 403, { error: FORBIDDEN[refusal] });
    else if (request.url !== "/health")
      answer(response, 404, { error: "There is /health, and WebSockets at / and /relay." });
    else if (request.method !== "GET" && request.method !== "HEAD") answer(response, 405, { error: "Only GET." });
    else answer(response, 200, this.#options.health());
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const visitor = this.#visitors.get(socket);
    const refusal = this.#refusalOf(request);
    if (visitor === undefined) socket.destroy();
    else if (refusal !== undefined) refuseUpgrade(socket, "403 Forbidden", FORBIDDEN[refusal]);
    else if (!this.#isServed(request.url))
      refuseUpgrade(socket, "404 Not Found", "The session protocol is spoken at /, the relay protocol at /relay.");
    else void this.#upgrade(visitor, request, socket, head);
  }

  #isServed(url: string | undefined): boolean {
    return url === "/" || (url === "/relay" && this.#options.onRelayAccept !== undefined);
  }

  async #upgrade(visitor: Visitor, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { via, guest } = visitor;
    const context = this.#proofContext(request, via);
    const headers = context === undefined ? {} : proofHeaders(this.#options.token, context);
    const admitted: Admitted = {
      via,
      acceptedAt: guest.acceptedAt,
      verifyProof: (proof) => context !== undefined && verifyProof(this.#options.token, "client", context, proof),
      markAuthenticated: () => guest.authenticated(),
    };
    try {
      if (request.url === "/") {
        const transport = await acceptWebSocket(request, socket, head, { headers });
        guest.upgraded();
        this.#options.onAccept({ transport, ...admitted });
      } else {
        const bytes = await acceptBytes(request, socket, head, { headers });
        guest.upgraded();
        this.#options.onRelayAccept?.({ bytes, ...admitted });
      }
    } catch (error) {
      this.#options.logger.debug({ via, error: String(error) }, "upgrade refused");
      socket.destroy();
    }
  }

  #refusalOf(request: IncomingMessage): "host" | "origin" | undefined {
    const via = this.#visitors.get(request.socket)?.via ?? "tcp";
    const { host = [], origin = [] } = request.headersDistinct;
    const port = via === "tcp" ? (this.port ?? 0) : undefined;
    const refusal = refusalOf({ host, origin }, { port, allowedOrigins: this.#allowedOrigins });
    if (refusal !== undefined)
      this.#options.logger.warn({ via, refusal, host, origin }, "refused a request from elsewhere");
    return refusal;
  }

  /** What both sides prove on this upgrade, or undefined for a client that asks for no proof. */
  #proofContext(request: IncomingMessage, via: Via): ProofContext | undefined {
    const [clientNonce, ...more] = request.headersDistinct[PROOF_HEADERS.clientNonce] ?? [];
    if (!isNonce(clientNonce) || more.length > 0) return undefined;
    return {
      version: this.#options.version,
      instanceId: this.#options.instanceId,
      clientNonce,
      serverNonce: createNonce(),
      // Ours, not the request's: what a stranger in between wrote there must not decide what we prove.
      authority: via === "tcp" ? tcpAuthority(this.port ?? 0) : UNIX_AUTHORITY,
    };
  }
}

const FORBIDDEN = {
  host: "Forbidden: the Host header is not an address of this daemon.",
  origin: "Forbidden: this Origin is not among the daemon's allowedOrigins.",
} as const;

function proofHeaders(token: string, context: ProofContext): Record<string, string> {
  return {
    [PROOF_HEADERS.proof]: createProof(token, "server", context),
    [PROOF_HEADERS.serverNonce]: context.serverNonce,
    [PROOF_HEADERS.instance]: context.instanceId,
    [PROOF_HEADERS.version]: context.version,
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(text);
}

function refuseUpgrade(socket: Socket, status: string, text: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : undefined;
}
