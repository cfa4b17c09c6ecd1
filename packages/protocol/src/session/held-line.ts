/** A block up to this size is kept for the next line: what most lines that span chunks need. There may be one for each agent. */
const KEPT_BLOCK_BYTES = 4096;
/** Blocks grow with their line up to this size, so that a line in many small chunks is held in few of them. */
const MAX_BLOCK_BYTES = 256 * 1024;
/** The place where lines are joined is kept up to this size. There is one for the whole process. */
const KEPT_JOINED_BYTES = 256 * 1024;

let joined = new Uint8Array(0);

/**
 * The beginning of a line whose end has not come. Each byte is copied when it comes, and once more when the line is whole.
 *
 * Buffers are outside the heap, and each one brings the next collection of it nearer. One that grew by doubling took four times the line.
 */
export class HeldLine {
  /** Bytes that are held. */
  bytes = 0;
  /** All are full but the last. */
  #blocks: Uint8Array[] = [];
  /** Bytes of the last block that are in use. */
  #used = 0;
  #kept = new Uint8Array(0);

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

  /** What is held, in pieces. Valid until the next `push` or `clear`. */
  parts(): Uint8Array[] {
    return this.#blocks.map((block, at) => (at < this.#blocks.length - 1 ? block : block.subarray(0, this.#used)));
  }

  /** What is held, in one piece, and nothing is held any more. Valid until the next call on any held line of this process. */
  take(): Uint8Array {
    const parts = this.parts();
    const [first = new Uint8Array(0)] = parts;
    const whole = parts.length > 1 ? join(parts, this.bytes) : first;
    this.clear();
    return whole;
  }

  /** Nothing is held any more. */
  clear(): void {
    this.#blocks = [];
    this.#used = 0;
    this.bytes = 0;
  }

  #append(part: Uint8Array): void {
    let block = this.#kept;
    if (this.#blocks.length > 0 || part.length > block.length) {
      block = new Uint8Array(Math.max(part.length, Math.min(MAX_BLOCK_BYTES, this.bytes)));
      if (this.#blocks.length === 0 && block.length <= KEPT_BLOCK_BYTES) this.#kept = block;
    }
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
