import type { Socket } from "node:net";
import { CloseCode, type TransportClose } from "@daemon-sdk/protocol";

/** What a byte stream tells its owner. Never called inside a call of the owner's. */
export interface ByteStreamEvents {
  onChunk(chunk: Uint8Array): void;
  /** It is gone; nothing follows. */
  onEnded(event: TransportClose): void;
}

/** Bytes both ways, in order: a socket, or the binary messages of a WebSocket. */
export interface ByteStream {
  /** Starts the flow of events. Called once. */
  start(events: ByteStreamEvents): void;
  /** Takes a chunk; `done` calls when it has left this process, or never will. */
  write(chunk: Uint8Array, done: () => void): void;
  /** Ends behind what was written. */
  end(): void;
  /** Ends now. */
  destroy(): void;
}

/** A socket as a byte stream. The peer's end of the stream is answered with ours. */
export class SocketStream implements ByteStream {
  readonly #socket: Socket;
  #error: Error | undefined;
  #hasPeerEnded = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  start(events: ByteStreamEvents): void {
    const socket = this.#socket;
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("end", () => {
      this.#hasPeerEnded = true;
      socket.end();
    });
    socket.on("close", () => events.onEnded(this.#ending()));
    socket.on("data", (chunk: Buffer) => events.onChunk(chunk));
  }

  write(chunk: Uint8Array, done: () => void): void {
    this.#socket.write(chunk, done);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #ending(): TransportClose {
    if (this.#error !== undefined) {
      return { clean: false, code: 1006, reason: this.#error.message, error: this.#error };
    }
    return this.#hasPeerEnded
      ? { clean: true, code: CloseCode.normal, reason: "" }
      : { clean: false, code: 1006, reason: "the socket was cut" };
  }
}
