import type { Clock } from "@daemon-sdk/protocol";
import type { FakeLink } from "./link.js";

/** Calls that wait for the next entry of a session's journal. */
export class ChangeWatch {
  readonly #clock: Clock;
  readonly #waiters = new Map<() => void, FakeLink>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The journal or the receipts have changed. */
  wake(): void {
    for (const wake of [...this.#waiters.keys()]) wake();
  }

  /** Ends the waits of a connection. */
  release(link: FakeLink): void {
    for (const [wake, waiting] of [...this.#waiters]) if (waiting === link) wake();
  }

  /** Resolves at the next change, after `maxMs`, or when the connection is released. */
  next(link: FakeLink, maxMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        stopTimer();
        this.#waiters.delete(wake);
        resolve();
      };
      const stopTimer = this.#clock.setTimer(wake, maxMs);
      this.#waiters.set(wake, link);
    });
  }
}
