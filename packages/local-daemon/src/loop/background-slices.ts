/**
 * Divides the event loop among work that nobody waits for: each turn of the loop does one slice of it, of whomever's turn it is.
 *
 * A slice is short, but an event needs several turns of the loop on its way from its agent to its reader. With one slice a
 * turn for each of ten sessions, all readers waited for forty of them.
 */
export class BackgroundSlices {
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** Resolves when the caller may do its next slice, at once in the microtask that follows. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}

/** The loop is one, so its slices are those of the process. */
export const BACKGROUND = new BackgroundSlices();
