import {
  CLIENT_LIMITS,
  CloseCode,
  type Logger,
  silentLogger,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { EarlyMessages } from "./early-messages.js";
import type { SocketLink } from "./socket-link.js";
import { type LinkEvent, type LinkPhase, next } from "./transport.machine.js";

/** Options of both sides of a link. */
export interface WebSocketTransportOptions {
  /** Waiting bytes above which `send` returns false; default `LIMITS.transportHighWaterBytes`. */
  readonly highWaterBytes?: number;
  /** Logs exceptions of handlers, after which the transport continues. Default: silent. */
  readonly logger?: Logger;
}

/**
 * A WebSocket as a `Transport`: in Node over `ws`, in browsers over the built-in one. Made by `dialWebSocket` and
 * `acceptWebSocket`. It has its original name for checks with `instanceof`.
 *
 * Messages that arrive before `onMessage` is set are kept. Reading stops when they reach the high-water mark, so that a peer
 * cannot fill the memory. An end before `onClose` is set is reported when it is set.
 */
export class WebSocketTransport implements Transport {
  onWritable: (() => void) | undefined;
  readonly #link: SocketLink;
  readonly #highWaterBytes: number;
  readonly #logger: Logger;
  readonly #early: EarlyMessages;
  #phase: LinkPhase = "open";
  #isBlocked = false;
  #end: TransportClose | undefined;
  #onMessage: ((text: string) => void) | undefined;
  #onClose: ((event: TransportClose) => void) | undefined;

  /** @internal Use `dialWebSocket` or `acceptWebSocket`. */
  constructor(link: SocketLink, options: WebSocketTransportOptions = {}) {
    this.#link = link;
    this.#highWaterBytes = options.highWaterBytes ?? CLIENT_LIMITS.transportHighWaterBytes;
    this.#logger = options.logger ?? silentLogger;
    this.#early = new EarlyMessages(link, this.#highWaterBytes);
    link.start({
      onText: (text) => this.#receive(text),
      onFlushed: () => this.#flushed(),
      onEnded: (event) => this.#ended(event),
    });
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  /** Whether messages wait until `onMessage` is set. */
  protected get isHolding(): boolean {
    return this.#early.isHolding;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    if (handler && this.#early.isHolding) queueMicrotask(() => this.#deliverEarly());
  }

  get onClose(): ((event: TransportClose) => void) | undefined {
    return this.#onClose;
  }

  set onClose(handler: ((event: TransportClose) => void) | undefined) {
    this.#onClose = handler;
    if (handler && this.#end) queueMicrotask(() => this.#tellEnd());
  }

  send(text: string): boolean {
    if (this.#phase !== "open") return false;
    this.#link.send(text);
    if (this.#link.bufferedBytes < this.#highWaterBytes) return true;
    this.#isBlocked = true;
    return false;
  }

  close(code: number = CloseCode.normal, reason = ""): void {
    if (this.#phase !== "open") return;
    this.#step("close");
    // The peer's close frame must be read, even if `onMessage` is not set.
    this.#early.release();
    this.#link.close(code, reason);
  }

  terminate(): void {
    if (this.#phase === "dropping" || this.#phase === "ended") return;
    this.#step("terminate");
    this.#early.clear();
    this.#link.terminate();
  }

  /** Stops or restarts reading, where the platform can: for an owner that cannot keep up. What was read already still comes. */
  setPaused(isPaused: boolean): void {
    if (this.#phase !== "open" && isPaused) return;
    if (isPaused) this.#link.pause();
    else this.#link.resume();
  }

  #step(event: LinkEvent): void {
    this.#phase = next(this.#phase, event);
  }

  #receive(text: string): void {
    if (this.#phase === "dropping" || this.#phase === "ended") return;
    if (this.#onMessage && !this.#early.isHolding) this.#call(this.#onMessage, text, "onMessage");
    else this.#early.hold(text);
  }

  #deliverEarly(): void {
    while (this.#onMessage && this.#early.isHolding && this.#phase !== "dropping") {
      this.#call(this.#onMessage, this.#early.take(), "onMessage");
    }
    if (!this.#early.isHolding) this.#early.release();
    this.#tellEnd();
  }

  #flushed(): void {
    if (!this.#isBlocked || this.#phase !== "open" || this.bufferedBytes >= this.#highWaterBytes) return;
    this.#isBlocked = false;
    this.#call(this.onWritable, undefined, "onWritable");
  }

  #ended(event: TransportClose): void {
    if (this.#phase === "ended") return;
    // An owner that closed gets no more messages. Only an end by the peer waits for unread messages.
    if (this.#phase !== "open" && !this.#onMessage) this.#early.clear();
    this.#step("ended");
    this.#end = event;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (!this.#end || !this.#onClose || this.#early.isHolding) return;
    const event = this.#end;
    this.#end = undefined;
    this.#call(this.#onClose, event, "onClose");
  }

  /** Calls a handler and logs its exception, which must affect neither the socket nor the next message (T10). */
  #call<Value>(handler: ((value: Value) => void) | undefined, value: Value, name: string): void {
    try {
      handler?.(value);
    } catch (error) {
      this.#logger.error({ error, handler: name }, "A handler of a transport threw; the transport goes on.");
    }
  }
}
