/**
 * Remembers the latest ids, at least `least` of them and at most twice as many.
 *
 * Two sets alternate: removing the oldest id of one set, one at a time, would cost more than the rest of an arrival.
 */
export class RecentIds {
  readonly #least: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(least: number) {
    this.#least = least;
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }

  /** Adds an id. False when it is known. */
  add(id: string): boolean {
    if (this.has(id)) return false;
    if (this.#young.size >= this.#least) {
      const forgotten = this.#old;
      this.#old = this.#young;
      this.#young = forgotten;
      forgotten.clear();
    }
    this.#young.add(id);
    return true;
  }
}
