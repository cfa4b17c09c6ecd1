import type { Socket } from "node:net";
import type { SeededRandom } from "../../seeded-random.js";
import { concat, FrameTracker } from "./frame-tracker.js";

/** A fixed time, or a random one between two, in ms. */
export type ChaosDelay = number | { readonly minMs: number; readonly maxMs: number };

/** What one direction transports: bytes, or the end of the stream. */
interface Piece {
  readonly dueAt: number;
  readonly bytes?: Uint8Array;
  /** `end`: the sender ended politely. `gone`: its socket broke. */
  readonly end?: "end" | "gone";
}

/** Bytes to insert before the byte at this offset of a piece. */
interface Extra {
  readonly at: number;
  readonly piece: Uint8Array;
}

/** Above this the sender is paused, as by a full network. */
const HIGH_WATER_BYTES = 64 * 1024;
/** With a bandwidth, a piece is what passes in this time. */
const PIECE_MS = 20;

/** One direction of a connection through a `ChaosProxy`. Offsets count the sender's bytes from 0. */
export class ChaosDirection {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #random: SeededRandom;
  readonly #onCut: () => void;
  readonly #frames = new FrameTracker();
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #passed = 0;
  #delay: ChaosDelay = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #lastDueAt = 0;
  #isStalled = false;
  #isBlocked = false;
  #isOver = false;
  #cutAt = Number.POSITIVE_INFINITY;
  #copies: { readonly from: number; readonly to: number; readonly pieces: Uint8Array[] }[] = [];
  #injections: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onCut breaks the connection */
  constructor(source: Socket, sink: Socket, random: SeededRandom, onCut: () => void) {
    this.#source = source;
    this.#sink = sink;
    this.#random = random;
    this.#onCut = onCut;
    source.on("data", (chunk: Uint8Array) => this.#arrive(chunk));
    source.on("end", () => this.#push({ end: "end" }));
    source.on("close", (hadError: boolean) => hadError && this.#push({ end: "gone" }));
    sink.on("drain", () => {
      this.#isBlocked = false;
      this.#run();
    });
  }

  /** Bytes that were forwarded to the receiver. */
  get passedBytes(): number {
    return this.#passed;
  }

  /** Bytes that were received and are held. */
  get heldBytes(): number {
    return this.#queuedBytes;
  }

  /** The last forwarded whole frame with data, WebSocket or relay; undefined before the first. */
  get lastFrame(): Uint8Array | undefined {
    return this.#frames.last;
  }

  /** Delays every piece by this time and keeps the order. 0 ends the delay. */
  delay(delay: ChaosDelay): void {
    this.#delay = delay;
  }

  /** Forwards at most this many bytes per second. */
  bandwidth(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Holds all bytes and the end, as a half-open connection does, until {@link resume}. */
  stall(): void {
    this.#isStalled = true;
    this.#source.pause();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Ends {@link stall}. */
  resume(): void {
    this.#isStalled = false;
    this.#run();
  }

  /** Forwards exactly the bytes before this offset, then cuts both directions; at once if they were forwarded already. */
  cutAt(offset: number): void {
    this.#cutAt = offset;
    if (this.#passed >= offset) this.#onCut();
  }

  /** Sends the bytes of this range, `to` excluded, a second time directly after the first. */
  duplicate(from: number, to: number): void {
    this.#copies.push({ from, to, pieces: [] });
  }

  /** Inserts bytes between two frames: now, or after the present frame. */
  inject(bytes: Uint8Array): void {
    if (this.#frames.isAtBorder) this.#write(bytes);
    else this.#injections.push(bytes);
  }

  /** Sends the last whole frame again, between two frames; nothing if there was none. */
  repeatLastFrame(): void {
    const frame = this.lastFrame;
    if (frame) this.inject(frame);
  }

  /** Discards all bytes; called when the connection has ended. */
  stop(): void {
    this.#isOver = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    clearTimeout(this.#timer);
  }

  #arrive(chunk: Uint8Array): void {
    const size = Math.max(1, Math.min(chunk.length, Math.floor((this.#bytesPerSecond * PIECE_MS) / 1000)));
    for (let at = 0; at < chunk.length; at += size) {
      const bytes = chunk.subarray(at, at + size);
      this.#push({ bytes }, (bytes.length / this.#bytesPerSecond) * 1000);
    }
  }

  #push(piece: Omit<Piece, "dueAt">, wireMs = 0): void {
    if (this.#isOver) return;
    const { minMs, maxMs } = typeof this.#delay === "number" ? { minMs: this.#delay, maxMs: this.#delay } : this.#delay;
    const delayMs = minMs === maxMs ? minMs : this.#random.integer(minMs, maxMs);
    const dueAt = Math.max(performance.now() + delayMs, this.#lastDueAt) + wireMs;
    this.#lastDueAt = dueAt;
    this.#queue.push({ ...piece, dueAt });
    this.#queuedBytes += piece.bytes?.length ?? 0;
    if (this.#queuedBytes >= HIGH_WATER_BYTES) this.#source.pause();
    this.#run();
  }

  #run(): void {
    for (let head = this.#queue[0]; head && !this.#isHeld; head = this.#queue[0]) {
      const waitMs = head.dueAt - performance.now();
      if (waitMs > 0) {
        this.#runIn(waitMs);
        return;
      }
      this.#queue.shift();
      this.#queuedBytes -= head.bytes?.length ?? 0;
      this.#pass(head);
    }
    if (!this.#isHeld && this.#queuedBytes < HIGH_WATER_BYTES) this.#source.resume();
  }

  get #isHeld(): boolean {
    return this.#isStalled || this.#isBlocked || this.#isOver;
  }

  #runIn(waitMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, waitMs);
  }

  #pass({ bytes, end }: Piece): void {
    if (end === "end") this.#sink.end();
    else if (end === "gone") this.#onCut();
    else if (bytes) this.#passBytes(bytes.subarray(0, this.#cutAt - this.#passed));
  }

  #passBytes(bytes: Uint8Array): void {
    const extras = [...this.#copiesDue(bytes), ...this.#injectionsDue(bytes)].sort((a, b) => a.at - b.at);
    let start = 0;
    for (const { at, piece } of extras) {
      this.#write(bytes.subarray(start, at));
      this.#write(piece);
      start = at;
    }
    this.#write(bytes.subarray(start));
    this.#passed += bytes.length;
    if (this.#passed < this.#cutAt) return;
    // After the last byte, so that the forwarded bytes arrive.
    this.#isOver = true;
    this.#sink.write("", () => this.#onCut());
  }

  #copiesDue(bytes: Uint8Array): Extra[] {
    const [start, end] = [this.#passed, this.#passed + bytes.length];
    for (const copy of this.#copies) {
      const from = Math.max(copy.from, start) - start;
      if (from < copy.to - start) copy.pieces.push(bytes.subarray(from, copy.to - start));
    }
    const due = this.#copies.filter(({ to }) => to > start && to <= end);
    this.#copies = this.#copies.filter((copy) => !due.includes(copy));
    return due.map(({ to, pieces }) => ({ at: to - start, piece: concat(pieces) }));
  }

  #injectionsDue(bytes: Uint8Array): Extra[] {
    const [border] = this.#frames.push(bytes);
    return border === undefined ? [] : this.#injections.splice(0).map((piece) => ({ at: border, piece }));
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length > 0 && this.#sink.writable && !this.#sink.write(bytes)) this.#isBlocked = true;
  }
}
