import { CloseCode } from "@daemon-sdk/protocol";
import type { RawData, WebSocket } from "ws";
import type { ByteLink, ByteLinkEvents } from "./byte-link.js";
import { linkClosed } from "./dial-errors.js";

/**
 * A WebSocket of `ws` as a {@link ByteLink}. Text messages are read as their UTF-8 (docs/wire/relay.md#over-websocket).
 */
export class NodeByteLink implements ByteLink {
  readonly #socket: WebSocket;
  #fault: Error | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("error", (error) => {
      this.#fault = error;
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  start(events: ByteLinkEvents): void {
    this.#socket.on("message", (data) => events.onBytes(bytesOf(data)));
    this.#socket.on("close", (code) => events.onEnded(code === CloseCode.normal ? undefined : this.#reason(code)));
  }

  send(bytes: Uint8Array, onFlushed?: () => void): void {
    this.#socket.send(bytes, { binary: true }, (error) => {
      if (!error) onFlushed?.();
    });
  }

  setPaused(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  end(): void {
    this.#socket.close(CloseCode.normal);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #reason(code: number): Error {
    return this.#fault ?? linkClosed(code);
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
