import {
  CloseCode,
  LIMITS,
  type Logger,
  silentLogger,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { FLEET_LIMITS } from "../limits/index.js";
import { Assembler } from "./assembler.js";
import { decodeFrame, encodeFrame, type Frame, FrameKind, HEADER_BYTES } from "./frame.js";
import { type LinkEvent, type LinkPhase, next } from "./link.machine.js";
import { Outbound } from "./outbound.js";

/** Options of both ends of a link. */
export interface LinkOptions {
  /** Waiting bytes from which `send` returns false; default `LIMITS.transportHighWaterBytes`. */
  readonly highWaterBytes?: number;
  /** Largest accepted message, in bytes of UTF-8; default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
  /** Interval of beats in ms; default `FLEET_LIMITS.beatMs`. A link ends after three intervals without a message of its peer. */
  readonly beatMs?: number;
  /** How long the peer may take to answer a polite close, in ms; default `LIMITS.closeTimeoutMs`. */
  readonly closeTimeoutMs?: number;
  /** Logs exceptions of handlers. Default: silent. */
  readonly logger?: Logger;
}

/** What a link needs of its process's connection to NATS. */
export interface LinkWire {
  /** Bytes of the largest message that the server takes. */
  readonly maxPayloadBytes: number;
  /** Publishes one message to the peer. */
  publish(bytes: Uint8Array): void;
  /** The link has ended: messages for it are refused from now on. */
  forget(): void;
}

const CUT: TransportClose = { clean: false, code: 1006, reason: "" };
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * A link over two subjects, one for each direction, as a `Transport`. Made by a `LinkRouter`.
 *
 * NATS delivers at most once. So messages are counted, and a hole ends the link as a cut does: what is above the link resumes. A
 * window bounds what is sent and not consumed, because NATS drops messages for a subscriber that does not read.
 */
export class LinkTransport implements Transport {
  onWritable: (() => void) | undefined;
  readonly #wire: LinkWire;
  readonly #highWaterBytes: number;
  readonly #closeTimeoutMs: number;
  readonly #logger: Logger;
  readonly #outbound: Outbound;
  readonly #assembler: Assembler;
  readonly #beats: ReturnType<typeof setInterval>;
  #phase: LinkPhase = "open";
  #onMessage: ((text: string) => void) | undefined;
  #onClose: ((event: TransportClose) => void) | undefined;
  #isBlocked = false;
  #isFlushDue = false;
  #isPaused = false;
  #missedBeats = 0;
  /** Frames that came in, and that the owner does not take yet. */
  #held: Frame[] = [];
  #heldBytes = 0;
  /** False once the owner has terminated: it gets no more messages. */
  #isDelivering = true;
  #received = 0;
  #consumed = 0;
  /** Bytes consumed since the peer last got an acknowledgement. */
  #unreportedBytes = 0;
  /** The close that goes out behind everything that waits. */
  #ownClose: { readonly code: number; readonly reason: string } | undefined;
  #hasSentClose = false;
  #peerClose: TransportClose | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #end: TransportClose | undefined;

  /** For `LinkRouter` only. */
  constructor(wire: LinkWire, options: LinkOptions = {}) {
    this.#wire = wire;
    this.#highWaterBytes = options.highWaterBytes ?? LIMITS.transportHighWaterBytes;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? LIMITS.closeTimeoutMs;
    this.#logger = options.logger ?? silentLogger;
    this.#outbound = new Outbound(Math.min(FLEET_LIMITS.frameBytes, wire.maxPayloadBytes - HEADER_BYTES));
    this.#assembler = new Assembler(options.maxMessageBytes ?? LIMITS.sessionFrameBytes);
    this.#beats = setInterval(() => this.#beat(), options.beatMs ?? FLEET_LIMITS.beatMs);
  }

  get bufferedBytes(): number {
    return this.#outbound.waitingBytes;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    if (handler) queueMicrotask(() => this.#release());
  }

  get onClose(): ((event: TransportClose) => void) | undefined {
    return this.#onClose;
  }

  set onClose(handler: ((event: TransportClose) => void) | undefined) {
    this.#onClose = handler;
    if (handler && this.#end) queueMicrotask(() => this.#reportEnd());
  }

  send(text: string): boolean {
    if (this.#phase !== "open") return false;
    this.#outbound.push(text);
    this.#flushSoon();
    if (this.bufferedBytes < this.#highWaterBytes) return true;
    this.#isBlocked = true;
    return false;
  }

  close(code: number = CloseCode.normal, reason = ""): void {
    if (this.#phase !== "open") return;
    this.#step("close");
    this.#ownClose = { code, reason };
    this.#closeTimer = setTimeout(() => this.#breakOff(), this.#closeTimeoutMs);
    // Without a handler the owner takes no more messages; the peer's close must be read all the same.
    queueMicrotask(() => this.#release());
    this.#flushSoon();
  }

  terminate(): void {
    if (this.#phase === "ended") return;
    this.#held = [];
    this.#isDelivering = false;
    this.#breakOff();
  }

  /** Stops or restarts taking messages, for an owner that cannot keep up. The window then stops the peer. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) queueMicrotask(() => this.#release());
  }

  /** One message of the peer. Called by the router. */
  receive(bytes: Uint8Array): void {
    if (this.#phase === "ended") return;
    this.#missedBeats = 0;
    const frame = decodeFrame(bytes);
    if (frame === undefined || !this.#outbound.acknowledge(frame.acknowledged)) {
      this.#breakOff();
      return;
    }
    if (frame.kind === FrameKind.reset) {
      this.#finish(CUT);
      return;
    }
    const isCounted = frame.kind !== FrameKind.beat;
    if (frame.sequence !== this.#received + (isCounted ? 1 : 0)) {
      this.#breakOff();
      return;
    }
    if (isCounted) {
      this.#received += 1;
      if (this.#isHolding || this.#held.length > 0) this.#hold(frame);
      else this.#consume(frame);
    }
    this.#flush();
  }

  /** The link is gone: nobody listens at the other end, or NATS is away. Called by the router. */
  cut(): void {
    this.#finish(CUT);
  }

  get #isHolding(): boolean {
    return this.#isPaused || (this.#onMessage === undefined && this.#phase === "open");
  }

  #step(event: LinkEvent): void {
    this.#phase = next(this.#phase, event);
  }

  /** What waits is bounded by the window; a peer that sends more is broken. */
  #hold(frame: Frame): void {
    this.#held.push(frame);
    this.#heldBytes += frame.body.length;
    if (this.#heldBytes > FLEET_LIMITS.windowBytes + FLEET_LIMITS.frameBytes) this.#breakOff();
  }

  #release(): void {
    while (this.#held.length > 0 && (!this.#isHolding || (this.#end !== undefined && this.#onMessage !== undefined))) {
      const frame = this.#held.shift();
      if (frame === undefined) break;
      this.#heldBytes -= frame.body.length;
      this.#consume(frame);
    }
    this.#reportEnd();
  }

  #consume(frame: Frame): void {
    this.#consumed = frame.sequence;
    if (frame.kind === FrameKind.close) {
      this.#peerClosed(frame.body);
      return;
    }
    const isSound = this.#assembler.feed(frame.body, (text) => {
      if (this.#isDelivering) this.#call(this.#onMessage, text, "onMessage");
    });
    if (this.#phase === "ended") return;
    if (!isSound) {
      this.#refuse();
      return;
    }
    this.#unreportedBytes += frame.body.length;
    if (this.#unreportedBytes >= FLEET_LIMITS.windowBytes / 4) this.#publish(FrameKind.beat, this.#outbound.sequence);
  }

  #peerClosed(body: Uint8Array): void {
    if (this.#phase === "ended") return;
    const code = body.length < 2 ? CloseCode.normal : new DataView(body.buffer, body.byteOffset).getUint16(0);
    const isClean = code < 1002 || code >= 3000;
    this.#peerClose = { clean: isClean, code, reason: decoder.decode(body.subarray(2)) };
    if (!isClean) {
      this.#finish(this.#peerClose);
      return;
    }
    if (this.#phase === "open") {
      this.#step("close");
      this.#ownClose = this.#peerClose;
      this.#closeTimer = setTimeout(() => this.#finish(this.#peerClose ?? CUT), this.#closeTimeoutMs);
    }
    this.#flushSoon();
  }

  /** A message over the limit. The peer gets the code ahead of what waits, and no answer is awaited. */
  #refuse(): void {
    this.#sendClose({ code: CloseCode.tooLarge, reason: "" });
    this.#finish({ clean: false, code: CloseCode.tooLarge, reason: "" });
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#phase === "ended") return;
    for (let piece = this.#outbound.next(); piece !== undefined; piece = this.#outbound.next())
      this.#publish(FrameKind.data, piece.sequence, piece.pieces);
    if (this.#ownClose !== undefined && !this.#hasSentClose && this.bufferedBytes === 0)
      this.#sendClose(this.#ownClose);
    if (this.#hasSentClose && this.#peerClose !== undefined) {
      this.#finish(this.#peerClose);
      return;
    }
    if (!this.#isBlocked || this.#phase !== "open" || this.bufferedBytes >= this.#highWaterBytes) return;
    this.#isBlocked = false;
    this.#call(this.onWritable, undefined, "onWritable");
  }

  #sendClose({ code, reason }: { readonly code: number; readonly reason: string }): void {
    this.#hasSentClose = true;
    const head = new Uint8Array(2);
    new DataView(head.buffer).setUint16(0, code);
    this.#publish(FrameKind.close, this.#outbound.count(), [head, encoder.encode(reason)]);
  }

  #publish(kind: FrameKind, sequence: number, pieces: readonly Uint8Array[] = []): void {
    this.#unreportedBytes = 0;
    this.#wire.publish(encodeFrame({ kind, sequence, acknowledged: this.#consumed }, pieces));
  }

  #beat(): void {
    this.#missedBeats += 1;
    if (this.#missedBeats > FLEET_LIMITS.missedBeats) {
      this.#breakOff();
      return;
    }
    this.#publish(FrameKind.beat, this.#outbound.sequence);
  }

  /** Ends the link from this side, without a close. */
  #breakOff(): void {
    if (this.#phase === "ended") return;
    this.#publish(FrameKind.reset, this.#outbound.sequence);
    this.#finish(CUT);
  }

  #finish(event: TransportClose): void {
    if (this.#phase === "ended") return;
    this.#step("ended");
    clearInterval(this.#beats);
    clearTimeout(this.#closeTimer);
    this.#outbound.clear();
    this.#wire.forget();
    this.#end = event;
    queueMicrotask(() => this.#release());
  }

  /** Behind the messages that came before the end (T9). */
  #reportEnd(): void {
    if (this.#end === undefined || this.#onClose === undefined || this.#held.length > 0) return;
    const event = this.#end;
    this.#end = undefined;
    this.#call(this.#onClose, event, "onClose");
  }

  /** Calls a handler and logs its exception, which must affect neither the link nor the next message (T10). */
  #call<Value>(handler: ((value: Value) => void) | undefined, value: Value, name: string): void {
    try {
      handler?.(value);
    } catch (error) {
      this.#logger.error({ error, handler: name }, "A handler of a link threw; the link goes on.");
    }
  }
}
