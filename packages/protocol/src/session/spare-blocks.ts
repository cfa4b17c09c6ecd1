const SMALLEST_BYTES = 4096;

/**
 * Blocks of bytes that are used again and again, in sizes of powers of two.
 *
 * Buffers are outside the heap: each new one brings the next collection of the whole heap nearer, however soon it is dropped.
 */
export class SpareBlocks {
  readonly #maxBlockBytes: number;
  readonly #maxBytes: number;
  readonly #blocks = new Map<number, Uint8Array[]>();
  #bytes = 0;

  /**
   * @param maxBlockBytes larger blocks are made for each need, and not kept
   * @param maxBytes of the blocks that are kept altogether
   */
  constructor(maxBlockBytes: number, maxBytes: number) {
    this.#maxBlockBytes = maxBlockBytes;
    this.#maxBytes = maxBytes;
  }

  /** A block of at least so many bytes, with any bytes in it. */
  take(minBytes: number): Uint8Array {
    if (minBytes > this.#maxBlockBytes) return new Uint8Array(minBytes);
    let size = SMALLEST_BYTES;
    while (size < minBytes) size *= 2;
    const block = this.#blocks.get(size)?.pop();
    if (block === undefined) return new Uint8Array(size);
    this.#bytes -= size;
    return block;
  }

  /** Gives a block back; whoever gives it reads it no more once another one is taken. */
  give(block: Uint8Array): void {
    const size = block.length;
    if (size > this.#maxBlockBytes || this.#bytes + size > this.#maxBytes) return;
    let blocks = this.#blocks.get(size);
    if (blocks === undefined) {
      blocks = [];
      this.#blocks.set(size, blocks);
    }
    blocks.push(block);
    this.#bytes += size;
  }
}
