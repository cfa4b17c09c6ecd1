import type { Clock } from "@daemon-sdk/protocol";

/** The computer's clock, and how many timers of it are set. */
export class CountingClock implements Clock {
  readonly #set = new Set<NodeJS.Timeout>();

  /** Timers that have neither run nor been stopped. */
  get pending(): number {
    return this.#set.size;
  }

  now(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = setTimeout(() => {
      this.#set.delete(timer);
      callback();
    }, delayMs);
    this.#set.add(timer);
    return () => {
      clearTimeout(timer);
      this.#set.delete(timer);
    };
  }
}
