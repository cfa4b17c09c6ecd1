import { SEARCH_LIMITS } from "../limits/index.js";
import { tooManySearches } from "./check-query.js";

/** Lets each principal do one thing at a time. What others wait for is not their concern. */
export class PrincipalTurns {
  readonly #last = new Map<string | undefined, Promise<unknown>>();
  readonly #waiting = new Map<string | undefined, number>();

  /** Throws `QUEUE_FULL` when too much of a principal waits. */
  check(keyId: string | undefined): void {
    if ((this.#waiting.get(keyId) ?? 0) >= SEARCH_LIMITS.waitingPerPrincipal) throw tooManySearches();
  }

  /**
   * Does `work` when everything of the same principal that came before has ended. Rejects with `QUEUE_FULL` when too much of
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
