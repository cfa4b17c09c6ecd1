import type { Readable, Writable } from "node:stream";
import {
  CLIENT_LIMITS,
  CloseCode,
  type Logger,
  ProtocolError,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { CUT, isPolite } from "./close-codes.js";
import { decodeClose, encodeClose, encodeFrame, FrameKind, FrameSplitter } from "./framing.js";
import { callHandler, type LinkOptions, withDefaults } from "./link-options.js";
import { WaitingBytes } from "./waiting-bytes.js";

/** What a {@link StreamTransport} is made of. */
export interface StreamTransportOptions extends LinkOptions {
  /** Where messages come from: a socket, or a child's stdout. */
  readonly input: Readable;
  /** Where they go: the same socket, or the child's stdin. */
  readonly output: Writable;
}

/** Messages in length-prefixed frames over any pair of byte streams. The comments name the law (docs/transports.md) that asks for a line. */
export class StreamTransport implements Transport {
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #logger: Logger;
  readonly #waiting: WaitingBytes;
  readonly #splitter: FrameSplitter;
  /** `closing`: this side has said that it sends no more, and still takes what the peer sends. */
  #phase: "open" | "closing" | "ended" = "open";
  #isReading = false;
  #hasHungUp = false;
  #onMessage: ((text: string) => void) | undefined;

  constructor(options: StreamTransportOptions) {
    this.#input = options.input;
    this.#output = options.output;
    const { highWaterBytes, maxMessageBytes, logger } = withDefaults(options);
    this.#logger = logger;
    this.#waiting = new WaitingBytes(highWaterBytes);
    this.#splitter = new FrameSplitter(maxMessageBytes);
    for (const stream of new Set([this.#input, this.#output])) stream.on("error", (error) => this.#broke(error));
    this.#input.once("close", () => this.#inputEnded());
  }

  get bufferedBytes(): number {
    return this.#waiting.count;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  /** T9: reading begins when this is set. What came before waits in the stream, and so does the end behind it. */
  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    if (handler) this.#read();
  }

  send(text: string): boolean {
    if (this.#phase !== "open") return false; // T6
    return this.#write(encodeFrame(FrameKind.message, text)); // T7: taken all the same
  }

  /** T4: the close frame goes behind what was accepted; the link ends when the peer's own has come. */
  close(code: number = CloseCode.normal, reason = ""): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#hangUp(code, reason);
    this.#read(); // The peer's answer has to be read, also where nobody asked for messages.
  }

  /** T5: without a close frame, the peer sees a cut. */
  terminate(): void {
    this.#end(CUT);
    this.#destroy();
  }

  /** Tells the other side that somebody is there; see {@link FrameKind}. */
  ready(): void {
    this.#write(encodeFrame(FrameKind.ready, ""));
  }

  /** Whether the sender may go on. */
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
    this.#end({ clean: isPolite(code), code, reason });
  }

  /** T11: the peer is told why. Reading goes on, into nothing: to drop what is under way would break the link before it is told. */
  #refuse(error: unknown): void {
    if (this.#phase === "open") this.#hangUp(CloseCode.tooLarge, "");
    this.#end({ clean: false, code: CloseCode.tooLarge, reason: "", ...(ProtocolError.is(error) ? { error } : {}) });
  }

  /** Sends the last frame. What cannot be sent, and a peer that does not end its side, is not waited for too long. */
  #hangUp(code: number, reason: string): void {
    this.#hasHungUp = true;
    this.#output.end(encodeClose(code, reason));
    const timer = setTimeout(() => this.#broke(), CLIENT_LIMITS.closeTimeoutMs).unref();
    this.#output.once("close", () => clearTimeout(timer));
  }

  /** The end of the bytes without a close frame is a cut. What this side has said last may still be on its way out. */
  #inputEnded(): void {
    this.#end(CUT);
    if (!this.#hasHungUp) this.#destroy();
  }

  #broke(error?: Error): void {
    this.#end(error === undefined ? CUT : { ...CUT, error });
    this.#destroy();
  }

  #destroy(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  /** T3: the first end counts. T2: it is told after the caller is done, whoever that is. */
  #end(event: TransportClose): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#waiting.clear();
    queueMicrotask(() => this.#call(this.onClose, event));
  }

  #hasEnded(): boolean {
    return this.#phase === "ended";
  }

  #call<Value>(handler: ((value: Value) => void) | undefined, value: Value): void {
    callHandler(this.#logger, handler, value);
  }
}
