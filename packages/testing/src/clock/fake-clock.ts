import type { Clock } from "@daemon-sdk/protocol";

/** One timer that has not run. */
interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** Options of {@link FakeClock}. */
export interface FakeClockOptions {
  /** What {@link FakeClock.now} says at first, in ms since 1970; default 2026-01-01T00:00:00Z. */
  readonly startAt?: number;
}

const NEW_YEAR_2026 = 1_767_225_600_000;

/**
 * A clock that stands still until a test moves it. Give it to whatever takes a {@link Clock}; no real timer is started.
 *
 * It holds two times, as a computer does: the wall time, and the time that timers run on. {@link advance} moves both,
 * {@link jump} only the first: that is a laptop that slept, or somebody who set the clock.
 *
 * ```ts
 * const clock = new FakeClock();
 * clock.setTimer(() => console.log("a minute is over"), 60_000);
 * await clock.advance(60_000);
 * ```
 */
export class FakeClock implements Clock {
  /** In the order they were set, which decides between timers due at one instant. */
  readonly #timers = new Set<Timer>();
  #wallMs: number;
  #timerMs = 0;

  constructor(options: FakeClockOptions = {}) {
    this.#wallMs = options.startAt ?? NEW_YEAR_2026;
  }

  now(): number {
    return this.#wallMs;
  }

  /** As a real timer, it never runs in the caller's stack, and a delay below 1 ms counts as 1 ms. */
  setTimer(callback: () => void, delayMs: number): () => void {
    const timer: Timer = { callback, dueAt: this.#timerMs + Math.max(1, delayMs) };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are set and have not run; 0 is what a test wants to see after `close()`. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Time until the next timer runs; undefined when there is none. */
  get nextTimerInMs(): number | undefined {
    const timer = this.#next();
    return timer && timer.dueAt - this.#timerMs;
  }

  /**
   * Lets `ms` pass. Timers run when they are due, in order, also those that are set meanwhile; before each, after the last,
   * and at the very beginning everything that waits for promises alone goes on as far as it can.
   *
   * One call at a time. What a callback throws, this rejects with; the time then stands at that timer.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#timerMs + ms;
    await this.settle();
    for (let timer = this.#next(); timer && timer.dueAt <= end; timer = this.#next()) {
      this.#moveTo(timer.dueAt);
      this.#timers.delete(timer);
      timer.callback();
      await this.settle();
    }
    this.#moveTo(end);
  }

  /** Lets the time pass that is left until the next timer, and runs it. Resolves with how long that was; 0 without a timer. */
  async advanceToNext(): Promise<number> {
    await this.settle();
    const waitMs = this.nextTimerInMs ?? 0;
    if (waitMs > 0) await this.advance(waitMs);
    return waitMs;
  }

  /** Moves the wall time, forth or back; no timer runs or comes nearer. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** Waits until everything that waits for promises alone has gone on as far as it can; no time passes. */
  settle(): Promise<void> {
    // Microtasks cannot tell when the others are done; a message between ports comes after all of them, and sooner than a timer.
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    });
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (!next || timer.dueAt < next.dueAt) next = timer;
    return next;
  }

  #moveTo(timerMs: number): void {
    // A callback may have thrown in an earlier advance; time never runs backwards.
    if (timerMs <= this.#timerMs) return;
    this.#wallMs += timerMs - this.#timerMs;
    this.#timerMs = timerMs;
  }
}
