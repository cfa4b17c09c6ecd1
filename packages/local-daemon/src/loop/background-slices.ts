/** A turn of the loop that took no longer is followed by the next slice at once. */
const SHORT_TURN_MS = 0.25;

/**
 * Divides the event loop among work that may take its time, such as pruning and copying: a turn of the loop does one slice of it,
 * of whomever's turn it is.
 *
 * A slice is short, but an event needs several turns of the loop on its way from its agent to its reader. With one slice a
 * turn for each of ten sessions, all readers waited for forty of them.
 *
 * The turn after a slice pauses for as long as the one with the slice took, with all else in it. A daemon that never sleeps has to
 * wait for its core where other processes want it, too; and what else there is to do goes first.
 */
export class BackgroundSlices {
  readonly #waiting: (() => void)[] = [];
  /** A slice is due, runs, or has run just now. */
  #isBusy = false;

  /** Resolves when the caller may do its next slice, at once in the microtask that follows. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isBusy) this.#schedule();
    });
  }

  #schedule(): void {
    this.#isBusy = true;
    setImmediate(() => {
      const begun = performance.now();
      this.#waiting.shift()?.();
      setImmediate(() => {
        const ms = performance.now() - begun;
        if (ms > SHORT_TURN_MS) setTimeout(() => this.#goOn(), ms);
        else this.#goOn();
      });
    });
  }

  #goOn(): void {
    if (this.#waiting.length > 0) this.#schedule();
    else this.#isBusy = false;
  }
}

/** The loop is one, so its slices are those of the process. */
export const BACKGROUND = new BackgroundSlices();
