import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Logger, Transport } from "@daemon-sdk/protocol";
import { acceptBytes, acceptWebSocket, type ByteLink, REFUSAL_HEADER } from "@daemon-sdk/transport-ws";
import { SERVING_LIMITS } from "../limits/index.js";
import { parseAllowedHosts, parseAllowedOrigins, refusalOf } from "./origin-check.js";
import type { PendingSocket } from "./pending-sockets.js";
import { UpgradeProof } from "./upgrade-proof.js";

/** The listening socket that accepted a connection. */
export type Via = "unix" | "tcp";

/** A WebSocket whose upgrade was accepted and whose peer has not authenticated. */
export interface Admitted {
  readonly via: Via;
  /** `performance.now()` at accept: `authenticateMs` counts from here. */
  readonly acceptedAt: number;
  /** Whether a holder of the token made the proof for this very upgrade; false when the upgrade had no nonce. */
  verifyProof(proof: string): boolean;
  /** Call it when the credential was accepted: the socket no longer counts as unauthenticated. */
  markAuthenticated(): void;
}

/** A WebSocket of the session wire. */
export interface Accepted extends Admitted {
  readonly transport: Transport;
}

/** A WebSocket of an editor, which speaks the Agent Client Protocol. */
export interface AcceptedEditor extends Accepted {
  /** The header `Authorization`, where the editor sent one. */
  readonly authorization: string | undefined;
}

/** A WebSocket of the relay wire; its messages are chunks of a stream of frames. Start it at once. */
export interface AcceptedBytes extends Admitted {
  readonly bytes: ByteLink;
}

/** Who asks for `/metrics`. */
export interface MetricsAsker {
  readonly via: Via;
  /** The header `Authorization`, where one was sent. */
  readonly authorization: string | undefined;
}

/** What is answered there: a text of that media type, or why not. */
export type MetricsAnswer = { readonly text: string; readonly type: string } | "unauthenticated" | "notAllowed";

/** Pages that the daemon serves itself, below {@link PageSite.path}. */
export interface PageSite {
  /** Begins and ends with a slash. */
  readonly path: string;
  /** Answers a request whose Host and Origin were accepted. Never throws. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Whether there is a WebSocket at this address, which is below {@link path}. */
  hasSocketAt(url: string): boolean;
  /** Serves an upgraded socket of such an address, before any of its messages is delivered. Host and Origin were accepted. */
  accept(url: string, accepted: Accepted): void;
}

/** Options of {@link HttpFront}. */
export interface HttpFrontOptions {
  /** Web pages that may connect, as exact origins. Default none. Programs send no Origin and are not affected. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Further values of `Host` on TCP, exactly; where TLS is served, over TLS only. Default none. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly token: string;
  readonly instanceId: string;
  readonly version: string;
  /** Body of `GET /health`. Any program of this machine can read it: no secrets. */
  health(): object;
  /** Answer to `GET /metrics`. Without it, there are no metrics. */
  metrics?(asker: MetricsAsker): MetricsAnswer;
  /** Called for each upgraded socket at `/`, before any of its messages is delivered. */
  onAccept(accepted: Accepted): void;
  /** As {@link onAccept} at `/relay`. Without it, there is no relay. */
  onRelayAccept?(accepted: AcceptedBytes): void;
  /** As {@link onAccept} at `/hand-over` of the unix socket: another daemon is to take this one's place. Without it, none can. */
  onHandOver?(accepted: Accepted): void;
  /** As {@link onAccept} at `/acp`. Without it, editors are not served. */
  onEditorAccept?(accepted: AcceptedEditor): void;
  readonly logger: Logger;
}

/** A socket in the HTTP phase. */
interface HttpSocket {
  readonly via: Via;
  readonly pending: PendingSocket;
}

/**
 * The daemon's HTTP: `/health`, `/metrics`, and the upgrade to a WebSocket. Checks where a request comes from before it is served. The
 * server never listens itself; sockets are handed to it.
 */
export class HttpFront {
  readonly #options: HttpFrontOptions;
  readonly #allowedOrigins: ReadonlySet<string>;
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #http: HttpServer;
  readonly #visitors = new WeakMap<object, HttpSocket>();
  /** The TCP port once it is bound: part of what Host must be, and of the proof. */
  port: number | undefined;
  /** Whether TLS is served on the port. */
  hasTls = false;
  /** Pages of the daemon's own, once there are some. They may open the session wire. */
  site: PageSite | undefined;

  /** @throws InvalidOptionError for an origin or a host that is none */
  constructor(options: HttpFrontOptions) {
    this.#options = options;
    this.#allowedOrigins = parseAllowedOrigins(options.allowedOrigins ?? []);
    this.#allowedHosts = parseAllowedHosts(options.allowedHosts ?? []);
    this.#http = createHttpServer((request, response) => this.#onRequest(request, response));
    this.#http.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#onUpgrade(request, socket, head),
    );
  }

  /** Takes a socket that begins with an HTTP request; its bytes are unread. */
  serve(socket: Socket, via: Via, pending: PendingSocket): void {
    this.#visitors.set(socket, { via, pending });
    this.#http.emit("connection", socket);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    // One request per socket: a socket that stays open without an upgrade would only wait for its timer.
    response.shouldKeepAlive = false;
    const refusal = this.#refusalOf(request);
    const isMetrics = request.url === "/metrics" && this.#options.metrics !== undefined;
    if (refusal !== undefined) answer(response, 403, { error: FORBIDDEN[refusal] });
    else if (this.site !== undefined && isBelow(this.site, request.url)) this.#answerPage(this.site, request, response);
    else if (request.url !== "/health" && !isMetrics)
      answer(response, 404, { error: "There is /health, /metrics, and WebSockets at /, /relay and /acp." });
    else if (request.method !== "GET" && request.method !== "HEAD") answer(response, 405, { error: "Only GET." });
    else if (isMetrics) this.#answerMetrics(request, response);
    else answer(response, 200, this.#options.health());
  }

  #answerMetrics(request: IncomingMessage, response: ServerResponse): void {
    const via = this.#visitors.get(request.socket)?.via ?? "tcp";
    const found = this.#options.metrics?.({ via, authorization: request.headers.authorization });
    if (found === undefined || found === "unauthenticated") {
      response.setHeader("www-authenticate", "Bearer");
      answer(response, 401, { error: "Send a key of this daemon: Authorization: Bearer <key>." });
    } else if (found === "notAllowed") {
      answer(response, 403, { error: "The policy of this key does not let it read metrics." });
    } else write(response, 200, found.type, found.text);
  }

  #answerPage(site: PageSite, request: IncomingMessage, response: ServerResponse): void {
    this.#visitors.get(request.socket)?.pending.extend(SERVING_LIMITS.consoleAnswerMs);
    site.answer(request, response);
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const visitor = this.#visitors.get(socket);
    const refusal = this.#refusalOf(request);
    if (visitor === undefined) socket.destroy();
    else if (refusal !== undefined) refuseUpgrade(socket, "403 Forbidden", FORBIDDEN[refusal], refusal);
    else if (!this.#isServed(request.url, visitor.via)) refuseUpgrade(socket, "404 Not Found", NOT_SERVED);
    else void this.#upgrade(visitor, request, socket, head);
  }

  #isServed(url: string | undefined, via: Via): boolean {
    const { onRelayAccept, onEditorAccept, onHandOver } = this.#options;
    if (url === "/hand-over") return via === "unix" && onHandOver !== undefined;
    if (url === "/relay") return onRelayAccept !== undefined;
    if (this.site !== undefined && isBelow(this.site, url)) return this.site.hasSocketAt(url ?? "");
    return url === "/" || (url === "/acp" && onEditorAccept !== undefined);
  }

  async #upgrade({ via, pending }: HttpSocket, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const proof = UpgradeProof.of(request, { ...this.#options, port: via === "tcp" ? (this.port ?? 0) : undefined });
    const headers = proof?.headers ?? {};
    const admitted: Admitted = {
      via,
      acceptedAt: pending.acceptedAt,
      verifyProof: (clientProof) => proof?.verify(clientProof) === true,
      markAuthenticated: () => pending.authenticated(),
    };
    try {
      if (request.url !== "/relay") {
        const transport = await acceptWebSocket(request, socket, head, { headers });
        pending.upgraded();
        const accepted = { transport, ...admitted };
        if (request.url === "/") this.#options.onAccept(accepted);
        else if (this.site !== undefined && isBelow(this.site, request.url))
          this.site.accept(request.url ?? "", accepted);
        else if (request.url === "/hand-over") this.#options.onHandOver?.(accepted);
        else this.#options.onEditorAccept?.({ ...accepted, authorization: request.headers.authorization });
      } else {
        const bytes = await acceptBytes(request, socket, head, { headers });
        pending.upgraded();
        this.#options.onRelayAccept?.({ bytes, ...admitted });
      }
    } catch (error) {
      this.#options.logger.debug({ via, error: String(error) }, "upgrade refused");
      socket.destroy();
    }
  }

  #isForOwnPages(url: string | undefined): boolean {
    return this.site !== undefined && (url === "/" || isBelow(this.site, url));
  }

  /** Who gives the daemon a certificate wants no credential to cross a network in the clear: plain connections are for this machine. */
  #hostsOf({ socket }: IncomingMessage): ReadonlySet<string> {
    return this.hasTls && !(socket instanceof TLSSocket) ? NO_HOSTS : this.#allowedHosts;
  }

  #refusalOf(request: IncomingMessage): "host" | "origin" | undefined {
    const via = this.#visitors.get(request.socket)?.via ?? "tcp";
    const { host = [], origin = [] } = request.headersDistinct;
    const port = via === "tcp" ? (this.port ?? 0) : undefined;
    const policy = {
      port,
      allowedOrigins: this.#allowedOrigins,
      allowedHosts: this.#hostsOf(request),
      ownPages: this.#isForOwnPages(request.url),
    };
    const refusal = refusalOf({ host, origin }, policy);
    if (refusal !== undefined)
      this.#options.logger.warn({ via, refusal, host, origin }, "refused a request from elsewhere");
    return refusal;
  }
}

const NOT_SERVED =
  "The session protocol is spoken at /, the relay protocol at /relay, the Agent Client Protocol at /acp.";

const NO_HOSTS: ReadonlySet<string> = new Set();

const FORBIDDEN = {
  host: "Forbidden: the Host header is neither an address of this daemon nor among its allowedHosts, which a daemon with a certificate serves over TLS only.",
  origin: "Forbidden: this Origin is not among the daemon's allowedOrigins.",
} as const;

function isBelow({ path }: PageSite, url: string | undefined): boolean {
  return url !== undefined && (url.startsWith(path) || url === path.slice(0, -1));
}

function answer(response: ServerResponse, status: number, body: object): void {
  write(response, status, "application/json; charset=utf-8", `${JSON.stringify(body)}\n`);
}

function write(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(text);
}

/** @param refusal which header of the request was not accepted; clients read it, because 403 alone may as well mean the credential */
function refuseUpgrade(socket: Socket, status: string, text: string, refusal?: keyof typeof FORBIDDEN): void {
  const reason = refusal === undefined ? "" : `${REFUSAL_HEADER}: ${refusal}\r\n`;
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n${reason}`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}
