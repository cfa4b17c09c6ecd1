import type { Readable, Writable } from "node:stream";
import {
  CLIENT_LIMITS,
  CloseCode,
  ConnectionError,
  type Logger,
  ProtocolError,
  silentLogger,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { closeEvent, cutEvent } from "../close-event.js";
import type { WebSocketTransportOptions } from "../web-socket-transport.js";
import { decodeClose, encodeClose, encodeFrame, FrameKind, FrameSplitter } from "./framing.js";
import { WaitingBytes } from "./waiting-bytes.js";

/** Options of {@link StreamTransport}. */
export interface StreamTransportOptions extends WebSocketTransportOptions {
  /** Source of messages: a socket, a stream of HTTP/2, or a child's stdout. */
  readonly input: Readable;
  /** Sink of messages: the same socket or stream, or the child's stdin. */
  readonly output: Writable;
  /** Largest accepted message; a larger one ends the link with 1009. Default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
}

/**
 * A `Transport` over streams of bytes of Node: TCP, TLS, HTTP/2, the stdio of a child process. Both ends have to be one.
 *
 * Messages are length-prefixed frames, as https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/transports.md#frames-of-streams
 * defines them for peers in other languages. The transport keeps the eleven laws of `Transport`. It owns the streams: they end with
 * it, and nothing else may read or write them. It encrypts and authenticates nothing; the daemon still asks for a credential.
 */
export class StreamTransport implements Transport {
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #logger: Logger;
  readonly #waiting: WaitingBytes;
  readonly #splitter: FrameSplitter;
  /** `closing`: this side has sent its close frame, and still receives messages. */
  #phase: "open" | "closing" | "ended" = "open";
  #isReading = false;
  #hasHungUp = false;
  #onMessage: ((text: string) => void) | undefined;

  constructor({ input, output, highWaterBytes, maxMessageBytes, logger = silentLogger }: StreamTransportOptions) {
    this.#input = input;
    this.#output = output;
    this.#logger = logger;
    this.#waiting = new WaitingBytes(highWaterBytes ?? CLIENT_LIMITS.transportHighWaterBytes);
    this.#splitter = new FrameSplitter(maxMessageBytes ?? CLIENT_LIMITS.sessionFrameBytes);
    for (const stream of new Set([input, output])) stream.on("error", (error) => this.#broke(error));
    input.once("close", () => this.#inputEnded());
  }

  get bufferedBytes(): number {
    return this.#waiting.count;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  /** T9: reading begins when this is set. Earlier messages wait in the stream, and so does the end after them. */
  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    if (handler) this.#read();
  }

  send(text: string): boolean {
    if (this.#phase !== "open") return false; // T6
    return this.#write(encodeFrame(FrameKind.message, text)); // T7: accepted in any case
  }

  /** T4: the close frame follows the accepted messages. The link ends when the peer's close frame arrives. */
  close(code: number = CloseCode.normal, reason = ""): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#hangUp(code, reason);
    this.#read(); // The peer's close frame must be read, even if `onMessage` is not set.
  }

  /** T5: without a close frame, the peer sees a cut. */
  terminate(): void {
    this.#end(cutEvent());
    this.#destroy();
  }

  /**
   * Sends a frame without a message, which the other side's transport skips. For a program that serves a link on its stdio: its
   * starter sees by the first bytes that it runs and has found its daemon.
   */
  ready(): void {
    this.#write(encodeFrame(FrameKind.ready, ""));
  }

  /** Whether the sender may continue. */
  #write(frame: Buffer): boolean {
    const mayGoOn = this.#waiting.add(frame.length);
    // One system call for all that is sent in one tick.
    if (this.#output.writableCorked === 0) {
      this.#output.cork();
      process.nextTick(() => this.#output.uncork());
    }
    this.#output.write(frame, () => this.#written(frame.length));
    return mayGoOn;
  }

  #written(bytes: number): void {
    if (this.#phase === "ended") return;
    if (this.#waiting.remove(bytes) && this.#phase === "open") this.#call(this.onWritable, undefined);
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#input.on("data", (piece: Buffer) => this.#take(piece));
    this.#input.once("end", () => this.#inputEnded());
    this.#input.resume();
  }

  #take(piece: Buffer): void {
    if (this.#phase === "ended") return;
    try {
      for (const { kind, text } of this.#splitter.push(piece)) {
        if (kind === FrameKind.message) this.#call(this.#onMessage, text);
        else if (kind === FrameKind.close) this.#peerClosed(text);
        // A handler may have ended the link between two frames (T3).
        if (this.#hasEnded()) return;
      }
    } catch (error) {
      this.#refuse(error);
    }
  }

  #peerClosed(text: string): void {
    const { code, reason } = decodeClose(text);
    if (this.#phase === "open") this.#hangUp(code, "");
    this.#end(closeEvent(code, reason, true));
  }

  /** T11: the close frame has the reason. Later bytes are read and dropped, because unread bytes would break the link before the close frame arrives. */
  #refuse(error: unknown): void {
    if (this.#phase === "open") this.#hangUp(CloseCode.tooLarge, "");
    this.#end({ clean: false, code: CloseCode.tooLarge, reason: "", ...(ProtocolError.is(error) ? { error } : {}) });
  }

  /** Sends the last frame. The wait for a blocked write, or for the peer's end, is bounded. */
  #hangUp(code: number, reason: string): void {
    this.#hasHungUp = true;
    this.#output.end(encodeClose(code, reason));
    const timer = setTimeout(() => this.#broke(), CLIENT_LIMITS.closeTimeoutMs).unref();
    this.#output.once("close", () => clearTimeout(timer));
  }

  /** An end of the bytes without a close frame is a cut. This side's last frame may still be in flight. */
  #inputEnded(): void {
    this.#end(cutEvent());
    if (!this.#hasHungUp) this.#destroy();
  }

  #broke(error?: Error): void {
    this.#end(error === undefined ? cutEvent() : { ...cutEvent(), error: broken(error) });
    this.#destroy();
  }

  #destroy(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  /** T3: the first end counts. T2: it is reported after the caller's stack. */
  #end(event: TransportClose): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#waiting.clear();
    queueMicrotask(() => this.#call(this.onClose, event));
  }

  #hasEnded(): boolean {
    return this.#phase === "ended";
  }

  /** Calls a handler and logs its exception, which must affect neither the streams nor the next message (T10). */
  #call<Value>(handler: ((value: Value) => void) | undefined, value: Value): void {
    try {
      handler?.(value);
    } catch (error) {
      this.#logger.error({ error }, "A handler of a transport threw; the transport goes on.");
    }
  }
}

function broken(cause: Error): ConnectionError {
  return new ConnectionError("CONNECTION_LOST", `The stream broke: ${cause.message}. Connect again.`, { cause });
}
