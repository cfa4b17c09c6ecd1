import { FLEET_LIMITS } from "../limits/index.js";

/** Bytes before each message: its length. */
export const LENGTH_BYTES = 4;

const encoder = new TextEncoder();

/** One counted message of a link that may be sent now. */
export interface OutboundPiece {
  readonly sequence: number;
  readonly pieces: readonly Uint8Array[];
}

/** Messages of one direction that wait, cut into frames as the window allows. Each message is its length, then its UTF-8. */
export class Outbound {
  readonly #frameBytes: number;
  #waiting: Uint8Array[] = [];
  #first = 0;
  #offset = 0;
  #waitingBytes = 0;
  #sequence = 0;
  #acknowledged = 0;
  #inFlightBytes = 0;
  /** Sizes of the frames in flight, the oldest first. */
  #inFlight: number[] = [];

  constructor(frameBytes: number = FLEET_LIMITS.frameBytes) {
    this.#frameBytes = frameBytes;
  }

  /** Bytes that no frame carries yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** The number of the last frame. */
  get sequence(): number {
    return this.#sequence;
  }

  push(text: string): void {
    const bytes = encodeMessage(text);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** The next frame; undefined when nothing waits, or the window is full. */
  next(): OutboundPiece | undefined {
    const room = FLEET_LIMITS.windowBytes - this.#inFlightBytes;
    if (this.#waitingBytes === 0 || room <= 0) return undefined;
    const size = Math.min(this.#frameBytes, this.#waitingBytes, room);
    const pieces = this.#take(size);
    this.#inFlight.push(size);
    this.#inFlightBytes += size;
    return { sequence: this.count(), pieces };
  }

  /** Numbers a frame without a body of messages. */
  count(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** The peer has consumed the frames up to this one. False: it never got so many. */
  acknowledge(sequence: number): boolean {
    if (sequence > this.#sequence) return false;
    const count = Math.max(0, sequence - this.#acknowledged);
    for (const size of this.#inFlight.splice(0, count)) this.#inFlightBytes -= size;
    this.#acknowledged = Math.max(sequence, this.#acknowledged);
    return true;
  }

  clear(): void {
    this.#waiting = [];
    this.#first = 0;
    this.#offset = 0;
    this.#waitingBytes = 0;
  }

  #take(size: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    this.#waitingBytes -= size;
    for (let left = size; left > 0; ) {
      const bytes = this.#waiting[this.#first] as Uint8Array;
      const end = Math.min(bytes.length, this.#offset + left);
      pieces.push(bytes.subarray(this.#offset, end));
      left -= end - this.#offset;
      this.#offset = end;
      if (end < bytes.length) break;
      this.#first += 1;
      this.#offset = 0;
    }
    if (this.#first === this.#waiting.length) this.clear();
    return pieces;
  }
}

function encodeMessage(text: string): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES + text.length * 3);
  const { written } = encoder.encodeInto(text, bytes.subarray(LENGTH_BYTES));
  new DataView(bytes.buffer).setUint32(0, written);
  const used = LENGTH_BYTES + written;
  // A long message waits in this buffer: it must not take three times its size.
  return used * 2 < bytes.length && used > FLEET_LIMITS.frameBytes ? bytes.slice(0, used) : bytes.subarray(0, used);
}
