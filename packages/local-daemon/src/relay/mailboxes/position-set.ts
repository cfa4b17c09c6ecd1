/** A run of positions, both ends included. */
export type PositionRun = readonly [number, number];

/**
 * A set of positive integers, kept as runs: what was acknowledged out of order. Close together they cost next to nothing,
 * however many there are; adding the next one of the newest run takes constant time.
 */
export class PositionSet {
  /** Ascending, never touching each other. */
  readonly #runs: [number, number][];
  #size = 0;

  constructor(runs: readonly PositionRun[] = []) {
    this.#runs = runs.map(([from, to]) => [from, to]);
    for (const [from, to] of runs) this.#size += to - from + 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The runs, ascending. A view: it changes with the set. */
  get runs(): readonly PositionRun[] {
    return this.#runs;
  }

  has(position: number): boolean {
    const run = this.#runs[this.#lastStartingBy(position)];
    return run !== undefined && position <= run[1];
  }

  /** Adds one. False when it was there. */
  add(position: number): boolean {
    const index = this.#lastStartingBy(position);
    const before = this.#runs[index];
    if (before !== undefined && position <= before[1]) return false;
    this.#size++;
    const after = this.#runs[index + 1];
    const joinsBefore = before !== undefined && before[1] === position - 1;
    const joinsAfter = after !== undefined && after[0] === position + 1;
    if (joinsBefore && joinsAfter) {
      before[1] = after[1];
      this.#runs.splice(index + 1, 1);
    } else if (joinsBefore) before[1] = position;
    else if (joinsAfter) after[0] = position;
    else this.#runs.splice(index + 1, 0, [position, position]);
    return true;
  }

  /** Takes away everything up to `position`, and the run that follows it without a gap. Returns the last one taken, or `position`. */
  dropThrough(position: number): number {
    let last = position;
    for (let run = this.#runs[0]; run !== undefined && run[0] <= last + 1; run = this.#runs[0]) {
      const isInside = run[1] > last;
      if (isInside) last = run[1];
      this.#size -= run[1] - run[0] + 1;
      this.#runs.shift();
    }
    return last;
  }

  /** Index of the last run that starts at or before `position`; -1 when there is none. */
  #lastStartingBy(position: number): number {
    let low = 0;
    let high = this.#runs.length;
    // The newest run is asked for most.
    const newest = this.#runs[high - 1];
    if (newest !== undefined && newest[0] <= position) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      if (run !== undefined && run[0] <= position) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
