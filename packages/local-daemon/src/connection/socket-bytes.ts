import type { Socket } from "node:net";
import { ConnectionError } from "@daemon-sdk/protocol";
import type { ByteLink, ByteLinkEvents } from "@daemon-sdk/transport-ws";

/** An accepted socket as a stream of bytes. The peer's end of the stream is answered with ours. */
export class SocketBytes implements ByteLink {
  readonly #socket: Socket;
  #error: Error | undefined;
  #hasPeerEnded = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(events: ByteLinkEvents): void {
    const socket = this.#socket;
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("end", () => {
      this.#hasPeerEnded = true;
      socket.end();
    });
    socket.on("close", () => events.onEnded(this.#fault()));
    socket.on("data", (chunk: Buffer) => events.onBytes(chunk));
  }

  send(bytes: Uint8Array, onFlushed?: () => void): void {
    this.#socket.write(bytes, (error) => {
      if (!error) onFlushed?.();
    });
  }

  setPaused(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #fault(): Error | undefined {
    if (this.#error === undefined && this.#hasPeerEnded) return undefined;
    const cause = this.#error;
    return new ConnectionError("CONNECTION_LOST", `The socket was cut${cause ? `: ${cause.message}` : ""}.`, { cause });
  }
}
