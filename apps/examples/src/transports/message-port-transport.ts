import {
  CLIENT_LIMITS,
  CloseCode,
  type Dial,
  ProtocolError,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { CUT, isPolite } from "./close-codes.js";
import { callHandler, type LinkOptions, withDefaults } from "./link-options.js";
import { WaitingBytes } from "./waiting-bytes.js";

/** The used part of a `MessagePort`, which ports of pages and of `node:worker_threads` share. */
export interface Port {
  postMessage(value: unknown): void;
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void;
  start(): void;
  close(): void;
}

/** Frames between the ends. `ack` counts bytes that were passed to the reader. */
type PortMessage =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "ack"; readonly bytes: number }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

/**
 * Dials whoever gets the other end of a fresh channel, such as a worker that joins it with its own link to a daemon:
 * `dialPort((port) => worker.postMessage(port, [port]))`.
 */
export function dialPort(handOver: (port: MessagePort) => void, options?: LinkOptions): Dial {
  return async ({ signal }) => {
    signal.throwIfAborted();
    const { port1, port2 } = new MessageChannel();
    handOver(port2);
    return new MessagePortTransport(port1, options);
  };
}

/**
 * One end of a message channel as a `Transport`: a worker that holds the connection to the daemon for the page, or a page that
 * holds it for its frames. The comments name the law (docs/transports.md) that asks for a line.
 *
 * A port takes everything and tells nothing, so the ends tell each other what was read: that is the back-pressure (T7). A port
 * whose other side is gone says so in Node and in browsers that have the `close` event of ports; elsewhere the daemon's own
 * liveness check has to find out.
 */
export class MessagePortTransport implements Transport {
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  readonly #port: Port;
  readonly #options: Required<LinkOptions>;
  readonly #waiting: WaitingBytes;
  #phase: "open" | "closing" | "ended" = "open";
  /** Messages before `onMessage` was set. They are not acknowledged, so that the other side stops in time. */
  #early: PortMessage[] = [];
  #onMessage: ((text: string) => void) | undefined;

  constructor(port: Port, options: LinkOptions = {}) {
    this.#port = port;
    this.#options = withDefaults(options);
    this.#waiting = new WaitingBytes(this.#options.highWaterBytes);
    port.addEventListener("message", ({ data }) => this.#arrived(data as PortMessage));
    port.addEventListener("close", () => this.#end(CUT));
    port.start();
  }

  get bufferedBytes(): number {
    return this.#waiting.count;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  /** T9, and T2: what waits is delivered once the caller has finished, not inside the setting. */
  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    queueMicrotask(() => this.#deliverEarly());
  }

  send(text: string): boolean {
    if (this.#phase !== "open") return false; // T6
    this.#post({ kind: "message", text });
    return this.#waiting.add(bytesOf(text)); // T7: accepted in any case
  }

  /** T4: a port keeps the order, so the close follows the sent messages. The link ends when the other side has sent its close, too. */
  close(code: number = CloseCode.normal, reason = ""): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#post({ kind: "close", code, reason });
    // An end that closed before reading gets no messages. They must not delay the other side's close.
    if (!this.#onMessage) this.#early = [];
    const timer = setTimeout(() => this.terminate(), CLIENT_LIMITS.closeTimeoutMs);
    this.#port.addEventListener("close", () => clearTimeout(timer));
  }

  /** T5: the port is closed without a close frame. */
  terminate(): void {
    this.#end(CUT);
  }

  #post(posted: PortMessage): void {
    this.#port.postMessage(posted);
  }

  #arrived(posted: PortMessage): void {
    if (this.#phase === "ended") return;
    if (posted.kind === "ack") this.#acknowledged(posted.bytes);
    else if (this.#onMessage && this.#early.length === 0) this.#take(posted);
    else this.#early.push(posted);
  }

  #deliverEarly(): void {
    while (this.#onMessage && this.#phase !== "ended") {
      const posted = this.#early.shift();
      if (!posted) return;
      this.#take(posted);
    }
  }

  #take(posted: PortMessage): void {
    if (posted.kind === "message") this.#deliver(posted.text);
    else if (posted.kind === "close") this.#peerClosed(posted.code, posted.reason);
  }

  #deliver(text: string): void {
    const bytes = bytesOf(text);
    if (bytes > this.#options.maxMessageBytes) {
      this.#refuse(bytes);
      return;
    }
    this.#call(this.#onMessage, text);
    if (this.#phase !== "ended") this.#post({ kind: "ack", bytes });
  }

  #acknowledged(bytes: number): void {
    if (this.#waiting.remove(bytes) && this.#phase === "open") this.#call(this.onWritable, undefined);
  }

  #peerClosed(code: number, reason: string): void {
    if (this.#phase === "open") this.#post({ kind: "close", code, reason: "" });
    this.#end({ clean: isPolite(code), code, reason });
  }

  /** T11. The message is here already, whole: a port cannot refuse it earlier. It is not delivered. */
  #refuse(bytes: number): void {
    const text = `The other side sent a message of ${bytes} bytes; this side takes ${this.#options.maxMessageBytes}.`;
    this.#post({ kind: "close", code: CloseCode.tooLarge, reason: "" });
    const error = new ProtocolError("MESSAGE_TOO_LARGE", text);
    this.#end({ clean: false, code: CloseCode.tooLarge, reason: "", error });
  }

  /** T3: the first end counts. T2: it is reported after the caller's stack. */
  #end(event: TransportClose): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#waiting.clear();
    this.#early = [];
    this.#port.close();
    queueMicrotask(() => this.#call(this.onClose, event));
  }

  #call<Value>(handler: ((value: Value) => void) | undefined, value: Value): void {
    callHandler(this.#options.logger, handler, value);
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
