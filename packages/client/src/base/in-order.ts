/** Steps that are made one after another for each key, in the order in which they were asked for. */
export class InOrder {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Makes a step when the earlier ones of that key are over, also when they failed. */
  run<Result>(key: string, step: () => Promise<Result>): Promise<Result> {
    const made = this.idle(key).then(step);
    const last = made.catch(() => {});
    this.#last.set(key, last);
    void last.then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key);
    });
    return made;
  }

  /** Resolves when the present steps of that key are over. */
  async idle(key: string): Promise<void> {
    await this.#last.get(key);
  }
}
