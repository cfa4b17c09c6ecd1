import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A TCP server that does to its sockets what a test says, byte by byte. */
export class RawServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  private constructor(onSocket: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      onSocket(socket);
    });
  }

  static async open(onSocket: (socket: Socket) => void = () => {}): Promise<RawServer> {
    const server = new RawServer(onSocket);
    await once(server.#server.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  /** A server that answers the upgrade by `answer`, given the accept key, and sees what follows by `onData`. */
  static upgrading(answer: (accept: string) => string | Buffer, onData: (data: Buffer) => void = () => {}) {
    return RawServer.open((socket) => {
      socket.once("data", (request) => {
        const key = /sec-websocket-key: (\S+)/i.exec(request.toString())?.[1] ?? "";
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        socket.on("data", onData);
        socket.write(answer(accept));
      });
    });
  }

  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when no socket is open any more. */
  async emptied(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.resume();
      if (!socket.closed) await once(socket, "close");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The response that switches to WebSocket. */
export function switching(accept: string, extraHeaders: readonly string[] = []): string {
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  return [...lines, `Sec-WebSocket-Accept: ${accept}`, ...extraHeaders, "", ""].join("\r\n");
}
