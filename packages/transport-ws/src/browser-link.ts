import { CLIENT_LIMITS, type TransportClose } from "@daemon-sdk/protocol";
import { closeEvent, cutEvent, fitReason, pageCode, tooLargeEvent } from "./close-event.js";
import type { SocketLink, SocketLinkEvents } from "./socket-link.js";

/** Interval of polling, because a browser does not report when its buffer is empty. Short enough to keep a socket busy, at no measurable cost. */
const POLL_MS = 10;

/**
 * A built-in WebSocket as a {@link SocketLink}.
 *
 * A page can neither stop reading nor cut a socket. So all early messages are kept, and `terminate` closes with a code that
 * this package reads as a cut (other peers get 4006).
 */
export class BrowserLink implements SocketLink {
  readonly #socket: WebSocket;
  readonly #maxMessageBytes: number;
  #events: SocketLinkEvents | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, maxMessageBytes: number) {
    this.#socket = socket;
    this.#maxMessageBytes = maxMessageBytes;
    socket.binaryType = "arraybuffer";
  }

  /** The browser's count. After the end 0, because a browser never subtracts the unsent bytes of a closed socket. */
  get bufferedBytes(): number {
    return this.#events ? this.#socket.bufferedAmount : 0;
  }

  start(events: SocketLinkEvents): void {
    this.#events = events;
    this.#socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => this.#receive(data));
    this.#socket.addEventListener("close", ({ code, reason, wasClean }) => {
      this.#end(closeEvent(code, reason, wasClean));
    });
  }

  send(text: string): void {
    this.#socket.send(text);
    this.#watch();
  }

  close(code: number, reason: string): void {
    this.#socket.close(pageCode(code), fitReason(reason));
    this.#closing = setTimeout(() => this.#end(cutEvent()), CLIENT_LIMITS.closeTimeoutMs);
  }

  terminate(): void {
    this.#socket.close(pageCode(cutEvent().code));
    queueMicrotask(() => this.#end(cutEvent()));
  }

  pause(): void {}
  resume(): void {}

  #receive(data: unknown): void {
    const bytes = data instanceof ArrayBuffer ? data.byteLength : byteLength(String(data), this.#maxMessageBytes);
    if (bytes <= this.#maxMessageBytes) {
      this.#events?.onText(data instanceof ArrayBuffer ? new TextDecoder().decode(data) : String(data));
      return;
    }
    const end = tooLargeEvent(this.#maxMessageBytes);
    this.#socket.close(pageCode(end.code));
    this.#end(end);
  }

  #watch(): void {
    if (this.#poll !== undefined || this.bufferedBytes === 0) return;
    this.#poll = setTimeout(() => {
      this.#poll = undefined;
      this.#events?.onFlushed();
      this.#watch();
    }, POLL_MS);
  }

  #end(event: TransportClose): void {
    const events = this.#events;
    this.#events = undefined;
    clearTimeout(this.#poll);
    clearTimeout(this.#closing);
    events?.onEnded(event);
  }
}

/** Bytes of `text` in UTF-8. Counted only if the number of characters does not decide whether `limit` is exceeded. */
function byteLength(text: string, limit: number): number {
  const worst = text.length * 3;
  if (text.length > limit || worst <= limit) return text.length;
  return new TextEncoder().encode(text).byteLength;
}
