import { vi } from "vitest";

/**
 * Time that passes when the test says so: `now` for a daemon's wall clock, and its intervals. Sockets, time-outs and
 * everything else run as ever.
 */
export class FakeClock implements Disposable {
  #time = 1_800_000_000_000;

  constructor() {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  }

  readonly now = (): number => this.#time;

  /** Lets time pass in steps small enough that nothing of ours is skipped. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.#time += Math.min(left, STEP_MS);
      vi.advanceTimersByTime(Math.min(left, STEP_MS));
    }
  }

  [Symbol.dispose](): void {
    vi.useRealTimers();
  }
}

const STEP_MS = 1_000;
