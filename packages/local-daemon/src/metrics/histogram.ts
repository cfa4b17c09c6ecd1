/** How many durations were at most as long as each of some bounds. */
export class Histogram {
  /** Upper bounds of the buckets, ascending. */
  readonly boundsMs: readonly number[];
  readonly #counts: number[];
  #sumMs = 0;
  /** Is called with each duration, for another who counts it. */
  mirror: ((ms: number) => void) | undefined;

  /** @param boundsMs upper bounds of the buckets, ascending */
  constructor(boundsMs: readonly number[]) {
    this.boundsMs = boundsMs;
    this.#counts = boundsMs.map(() => 0);
    this.#counts.push(0);
  }

  /** Counts a duration in ms. A clock that was set back makes a negative one, which counts as 0. */
  record(ms: number): void {
    const duration = Math.max(0, ms);
    let bucket = 0;
    while (duration > (this.boundsMs[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sumMs += duration;
    this.mirror?.(duration);
  }

  get sumMs(): number {
    return this.#sumMs;
  }

  /** How many durations were counted. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** The durations up to each bound, in ms. Those past the last bound are in {@link count} only. */
  cumulative(): { readonly boundMs: number; readonly count: number }[] {
    let count = 0;
    return this.boundsMs.map((boundMs, bucket) => {
      count += this.#counts[bucket] ?? 0;
      return { boundMs, count };
    });
  }
}
