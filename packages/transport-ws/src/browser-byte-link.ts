import { CloseCode, LIMITS } from "@daemon-sdk/protocol";
import type { ByteLink, ByteLinkEvents } from "./byte-link.js";
import { linkClosed } from "./dial-errors.js";

/** Interval of polling, because a browser does not report when its buffer is empty. */
const POLL_MS = 10;

/**
 * A built-in WebSocket as a {@link ByteLink}. Text messages are read as their UTF-8
 * (docs/wire/relay.md#over-websocket).
 */
export class BrowserByteLink implements ByteLink {
  readonly #socket: WebSocket;
  #events: ByteLinkEvents | undefined;
  /** Callbacks that wait until their bytes have left. */
  #waiting: (() => void)[] = [];
  #poll: ReturnType<typeof setTimeout> | undefined;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
  }

  get bufferedBytes(): number {
    return this.#events ? this.#socket.bufferedAmount : 0;
  }

  start(events: ByteLinkEvents): void {
    this.#events = events;
    this.#socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      this.#events?.onBytes(
        data instanceof ArrayBuffer ? new Uint8Array(data) : new TextEncoder().encode(String(data)),
      );
    });
    this.#socket.addEventListener("close", ({ code }) => {
      this.#finish(code === CloseCode.normal ? undefined : linkClosed(code));
    });
  }

  send(bytes: Uint8Array, onFlushed?: () => void): void {
    if (!this.#events) return;
    // A page's socket copies at once. The cast states that the bytes are not in shared memory.
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
    if (onFlushed === undefined) return;
    this.#waiting.push(onFlushed);
    this.#poll ??= setTimeout(() => this.#flushed(), 0);
  }

  end(): void {
    this.#socket.close(CloseCode.normal);
    this.#closing ??= setTimeout(() => this.#finish(linkClosed(CloseCode.normal)), LIMITS.closeTimeoutMs);
  }

  destroy(): void {
    this.#socket.close(CloseCode.normal);
    queueMicrotask(() => this.#finish(linkClosed(CloseCode.normal)));
  }

  #flushed(): void {
    this.#poll = undefined;
    if (!this.#events) return;
    if (this.#socket.bufferedAmount > 0) {
      this.#poll = setTimeout(() => this.#flushed(), POLL_MS);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  #finish(error: Error | undefined): void {
    const events = this.#events;
    this.#events = undefined;
    clearTimeout(this.#poll);
    clearTimeout(this.#closing);
    events?.onEnded(error);
  }
}
