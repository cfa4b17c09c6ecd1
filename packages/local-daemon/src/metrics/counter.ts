/** A number that grows. */
export class Counter {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  /** @param count default 1 */
  add(count = 1): void {
    this.#value += count;
  }
}

/** Counters of one metric, one for each value of a label. */
export class LabelledCounter<Value extends string = string> {
  readonly label: string;
  readonly #known: ReadonlySet<string>;
  readonly #counts = new Map<string, number>();

  /**
   * @param label name of the label
   * @param values the values that are counted apart; all others count as `other`, so that a peer's words make no series
   */
  constructor(label: string, values: readonly Value[]) {
    this.label = label;
    this.#known = new Set(values);
    for (const value of values) this.#counts.set(value, 0);
  }

  /** Adds 1 to the counter of that value. */
  add(value: string): void {
    const key = this.#known.has(value) ? value : "other";
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** The counts by value. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** The sum of all values. */
  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }
}
