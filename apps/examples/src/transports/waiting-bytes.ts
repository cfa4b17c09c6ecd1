/** What was sent and not taken yet: the count of law T8, and when law T7 has a sender stop and go on. */
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

  /** Counts what was sent; whether the sender may go on. */
  add(bytes: number): boolean {
    this.#count += bytes;
    if (this.#count >= this.#highWaterBytes) this.#hasStopped = true;
    return this.#count < this.#highWaterBytes;
  }

  /** Counts what was taken; whether a sender that was stopped is to be told that it may go on. */
  remove(bytes: number): boolean {
    this.#count = Math.max(0, this.#count - bytes);
    if (!this.#hasStopped || this.#count >= this.#highWaterBytes) return false;
    this.#hasStopped = false;
    return true;
  }

  /** The link has ended: nothing waits any more, and nobody is told. */
  clear(): void {
    this.#count = 0;
    this.#hasStopped = false;
  }
}
