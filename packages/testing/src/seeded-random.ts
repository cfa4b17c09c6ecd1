/**
 * Reproducible random numbers: the same seed gives the same numbers on every machine. Tests print the seed; pass it in to
 * reproduce a failure. Not for secrets.
 */
export class SeededRandom {
  /** Seed of this source. */
  readonly seed: number;
  #state: number;

  /** @param seed a whole number of 32 bits; default a random one */
  constructor(seed: number = Math.floor(Math.random() * 2 ** 32)) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** At least 0, below 1. */
  next(): number {
    // mulberry32: 32 bits of state, passes the usual tests, short.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the items. The list must not be empty. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.integer(0, items.length - 1)] ?? items[0];
  }

  /** Another source, whose numbers depend on this seed and `name` only, not on earlier numbers. */
  branch(name: number): SeededRandom {
    return new SeededRandom(Math.imul(this.seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(name + 1, 0xc2b2ae35));
  }
}
