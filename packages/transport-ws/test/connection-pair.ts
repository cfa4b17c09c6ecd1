import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type AcceptOptions, acceptWebSocket, type DialWebSocketOptions, dialWebSocket } from "../src/index.js";
import type { WebSocketTransport } from "../src/web-socket-transport.js";

/** A listening HTTP server that accepts every upgrade, on an ephemeral port or on a socket file of its own directory. */
export class Listener implements AsyncDisposable {
  readonly #server = createServer();
  readonly #sockets = new Set<Duplex>();
  readonly #waiting: ((accepted: WebSocketTransport) => void)[] = [];
  readonly #accepted: WebSocketTransport[] = [];
  #directory: string | undefined;
  url = "";

  static async open(via: "tcp" | "unix", options?: AcceptOptions): Promise<Listener> {
    const listener = new Listener();
    listener.#server.on("connection", (socket: Socket) => {
      listener.#sockets.add(socket);
      socket.on("close", () => listener.#sockets.delete(socket));
    });
    listener.#server.on("upgrade", async (request, socket, head) => {
      listener.#give(await acceptWebSocket(request, socket, head, options));
    });
    await listener.#listen(via);
    return listener;
  }

  async #listen(via: "tcp" | "unix"): Promise<void> {
    if (via === "tcp") {
      await once(this.#server.listen(0, "127.0.0.1"), "listening");
      this.url = `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
      return;
    }
    this.#directory = await mkdtemp(join(tmpdir(), "tws-"));
    const path = join(this.#directory, "a b.sock");
    await once(this.#server.listen(path), "listening");
    this.url = `ws+unix://${encodeURI(path)}:/`;
  }

  #give(transport: WebSocketTransport): void {
    const take = this.#waiting.shift();
    if (take) take(transport);
    else this.#accepted.push(transport);
  }

  /** The server's end of the next connection. */
  accept(): Promise<WebSocketTransport> {
    const ready = this.#accepted.shift();
    return ready ? Promise.resolve(ready) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  async connect(options?: DialWebSocketOptions): Promise<{ near: WebSocketTransport; far: WebSocketTransport }> {
    const [near, far] = await Promise.all([dialWebSocket(this.url, options), this.accept()]);
    return { near, far };
  }

  /** Sockets open on the server's side. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Destroys every socket under its WebSocket, as a broken network does. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
  }
}
