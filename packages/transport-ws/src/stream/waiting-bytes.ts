/** Counts sent bytes that were not received yet (law T8), and decides when a sender stops and continues (law T7). */
export class WaitingBytes {
  readonly #highWaterBytes: number;
  #count = 0;
  #hasStopped = false;

  constructor(highWaterBytes: number) {
    this.#highWaterBytes = highWaterBytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds sent bytes. Returns whether the sender may continue. */
  add(bytes: number): boolean {
    this.#count += bytes;
    if (this.#count >= this.#highWaterBytes) this.#hasStopped = true;
    return this.#count < this.#highWaterBytes;
  }

  /** Subtracts received bytes. Returns whether a stopped sender must be notified that it may continue. */
  remove(bytes: number): boolean {
    this.#count = Math.max(0, this.#count - bytes);
    if (!this.#hasStopped || this.#count >= this.#highWaterBytes) return false;
    this.#hasStopped = false;
    return true;
  }

  /** Resets the count at the end of the link, without a notification. */
  clear(): void {
    this.#count = 0;
    this.#hasStopped = false;
  }
}
