import { FakeClock } from "@daemon-sdk/testing";
import { vi } from "vitest";

const STEP_MS = 1_000;

/**
 * The fake clock of the testing package for a daemon, which takes its wall time as a function and sets its intervals itself:
 * these run as {@link pass} says. Sockets, time-outs and everything else run as ever.
 */
export class DaemonClock extends FakeClock implements Disposable {
  constructor() {
    super();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  }

  /** Lets time pass in steps small enough that nothing of ours is skipped. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.jump(Math.min(left, STEP_MS));
      vi.advanceTimersByTime(Math.min(left, STEP_MS));
    }
  }

  [Symbol.dispose](): void {
    vi.useRealTimers();
  }
}
