import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";

const TLS = join(import.meta.dirname, "tls");

/** File of the certificate of `daemon.test`, which signed itself. Its key is in this repository, so it proves nothing. */
export const CERTIFICATE_FILE = join(TLS, "certificate.pem");

/** What a client of {@link TlsServer} has to trust. */
export const CERTIFICATE = readFileSync(CERTIFICATE_FILE);

/** Takes an upgraded request; `acceptWebSocket` is one. */
export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

/** An HTTPS server named `daemon.test` on 127.0.0.1, a name that no resolver knows. */
export class TlsServer implements AsyncDisposable {
  readonly #server = createTlsServer({ key: readFileSync(join(TLS, "key.pem")), cert: CERTIFICATE });
  readonly #sockets = new Set<Duplex>();

  static async open(onUpgrade: OnUpgrade): Promise<TlsServer> {
    const opened = new TlsServer();
    opened.#server.on("upgrade", onUpgrade);
    opened.#server.on("connection", (socket: Duplex) => opened.#sockets.add(socket));
    await once(opened.#server.listen(0, "127.0.0.1"), "listening");
    return opened;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `wss://daemon.test:${this.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** A proxy that speaks CONNECT, for whoever has its user and password. It finds every host at 127.0.0.1. */
export class ConnectProxy implements AsyncDisposable {
  /** Hosts and ports that clients were connected to, and `refused` for a client without the password. */
  readonly log: string[] = [];
  readonly #server: Server = createServer();
  readonly #sockets = new Set<Duplex>();

  static async open(): Promise<ConnectProxy> {
    const opened = new ConnectProxy();
    opened.#server.on("connect", ({ url = "", headers }, socket: Duplex) => {
      opened.#sockets.add(socket);
      opened.#connect(url, headers["proxy-authorization"], socket);
    });
    await once(opened.#server.listen(0, "127.0.0.1"), "listening");
    return opened;
  }

  /** Its address, with the user and a password. */
  url(password = "pass word"): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://user:${encodeURIComponent(password)}@127.0.0.1:${port}`;
  }

  #connect(target: string, authorization: string | undefined, socket: Duplex): void {
    const expected = `Basic ${Buffer.from("user:pass word").toString("base64")}`;
    if (authorization !== expected) {
      this.log.push("refused");
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    this.log.push(target);
    const server = connect(Number(target.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      server.pipe(socket).pipe(server);
    });
    for (const end of [server, socket]) end.on("error", () => socket.destroy());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
