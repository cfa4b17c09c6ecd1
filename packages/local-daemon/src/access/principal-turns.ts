/** Options of {@link PrincipalTurns}. */
export interface PrincipalTurnsOptions {
  /** How much of one principal may wait. */
  readonly waiting: number;
  /** The error of what is too much. */
  refusal(): Error;
}

/** Lets each principal do one thing at a time. What others wait for is not their concern. */
export class PrincipalTurns {
  readonly #options: PrincipalTurnsOptions;
  readonly #last = new Map<string | undefined, Promise<unknown>>();
  readonly #waiting = new Map<string | undefined, number>();

  constructor(options: PrincipalTurnsOptions) {
    this.#options = options;
  }

  /** Throws the refusal when too much of a principal waits. */
  check(keyId: string | undefined): void {
    if ((this.#waiting.get(keyId) ?? 0) >= this.#options.waiting) throw this.#options.refusal();
  }

  /**
   * Does `work` when everything of the same principal that came before has ended. Rejects with the refusal when too much of
   * it waits already.
   */
  async take<Result>(keyId: string | undefined, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(keyId);
    if (before === undefined) return this.#do(keyId, work());
    this.check(keyId);
    this.#waiting.set(keyId, (this.#waiting.get(keyId) ?? 0) + 1);
    const next = before
      .catch(() => {})
      .then(() => {
        this.#waiting.set(keyId, (this.#waiting.get(keyId) ?? 1) - 1);
        return work();
      });
    return this.#do(keyId, next);
  }

  #do<Result>(keyId: string | undefined, running: Promise<Result>): Promise<Result> {
    this.#last.set(keyId, running);
    const forget = () => {
      if (this.#last.get(keyId) !== running) return;
      this.#last.delete(keyId);
      this.#waiting.delete(keyId);
    };
    running.then(forget, forget);
    return running;
  }
}
