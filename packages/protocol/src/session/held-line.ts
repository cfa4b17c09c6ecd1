import { SpareBlocks } from "./spare-blocks.js";

/** Blocks grow with their line up to this size, so that a line in many small chunks is held in few of them. */
const MAX_BLOCK_BYTES = 256 * 1024;
/** The place where lines are joined is kept up to this size. There is one for the whole process. */
const KEPT_JOINED_BYTES = 256 * 1024;
/** Blocks that no line needs now are kept up to this size, for all lines of the process. */
const SPARE_BYTES = 1024 * 1024;

const spare = new SpareBlocks(MAX_BLOCK_BYTES, SPARE_BYTES);

let joined = new Uint8Array(0);

/**
 * The beginning of a line whose end has not come. Each byte is copied when it comes, and once more when the line is whole; into
 * blocks that all lines of the process share, one after another ({@link SpareBlocks}).
 */
export class HeldLine {
  /** Bytes that are held. */
  bytes = 0;
  /** All are full but the last. */
  #blocks: Uint8Array[] = [];
  /** Bytes of the last block that are in use. */
  #used = 0;

  /** Appends a copy of these bytes. */
  push(part: Uint8Array): void {
    const last = this.#blocks.at(-1);
    const fits = last === undefined ? 0 : Math.min(part.length, last.length - this.#used);
    if (fits > 0) {
      last?.set(part.subarray(0, fits), this.#used);
      this.#used += fits;
    }
    if (fits < part.length) this.#append(part.subarray(fits));
    this.bytes += part.length;
  }

  /** The first bytes, up to so many. */
  head(maxBytes: number): Uint8Array {
    const head = new Uint8Array(Math.min(maxBytes, this.bytes));
    let at = 0;
    for (const part of this.parts()) {
      if (at === head.length) break;
      const taken = part.subarray(0, head.length - at);
      head.set(taken, at);
      at += taken.length;
    }
    return head;
  }

  /** What is held, in pieces. Valid until the next call on this line. */
  parts(): Uint8Array[] {
    return this.#blocks.map((block, at) => (at < this.#blocks.length - 1 ? block : block.subarray(0, this.#used)));
  }

  /** What is held, in one piece, and nothing is held any more. Valid until the next call on any held line of this process. */
  take(): Uint8Array {
    const parts = this.parts();
    const [first = new Uint8Array(0)] = parts;
    const whole = parts.length > 1 ? join(parts, this.bytes) : first;
    for (const block of this.#blocks) spare.give(block);
    this.#clear();
    return whole;
  }

  /** What is held, in pieces that are the caller's, and nothing is held any more. */
  takeParts(): Uint8Array[] {
    const parts = this.parts();
    this.#clear();
    return parts;
  }

  #clear(): void {
    this.#blocks = [];
    this.#used = 0;
    this.bytes = 0;
  }

  #append(part: Uint8Array): void {
    const block = spare.take(Math.max(part.length, Math.min(MAX_BLOCK_BYTES, this.bytes)));
    block.set(part);
    this.#blocks.push(block);
    this.#used = part.length;
  }
}

function join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const isKept = bytes <= KEPT_JOINED_BYTES;
  const target = bytes <= joined.length ? joined : new Uint8Array(isKept ? KEPT_JOINED_BYTES : bytes);
  if (isKept) joined = target;
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
  return target.subarray(0, bytes);
}
