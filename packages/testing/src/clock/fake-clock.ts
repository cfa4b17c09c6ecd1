import type { Clock } from "@daemon-sdk/protocol";

/** One pending timer. */
interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** Options of {@link FakeClock}. */
export interface FakeClockOptions {
  /** First value of {@link FakeClock.now}, in ms since 1970; default 2026-01-01T00:00:00Z. */
  readonly startAt?: number;
}

const NEW_YEAR_2026 = 1_767_225_600_000;

/**
 * A clock that only a test moves. Pass it wherever a {@link Clock} is accepted. It starts no real timer.
 *
 * It has two times, as a computer does: the wall time, and the time of timers. {@link advance} moves both. {@link jump} moves
 * the wall time only, as when a laptop slept or a user set the clock.
 *
 * ```ts
 * const clock = new FakeClock();
 * clock.setTimer(() => console.log("a minute is over"), 60_000);
 * await clock.advance(60_000);
 * ```
 */
export class FakeClock implements Clock {
  /** In the order in which they were set, which decides between timers due at the same instant. */
  readonly #timers = new Set<Timer>();
  #wallMs: number;
  #timerMs = 0;

  constructor(options: FakeClockOptions = {}) {
    this.#wallMs = options.startAt ?? NEW_YEAR_2026;
  }

  now(): number {
    return this.#wallMs;
  }

  /** As with a real timer, `callback` never runs in the caller's stack, and a delay below 1 ms counts as 1 ms. */
  setTimer(callback: () => void, delayMs: number): () => void {
    const timer: Timer = { callback, dueAt: this.#timerMs + Math.max(1, delayMs) };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Number of pending timers. A test expects 0 after `close()`. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Time until the next timer runs; undefined when there is none. */
  get nextTimerInMs(): number | undefined {
    const timer = this.#next();
    return timer && timer.dueAt - this.#timerMs;
  }

  /**
   * Advances both times by `ms`. Due timers run in order, also those that are set meanwhile. At the beginning, before each
   * timer and after the last, all code that waits for promises only runs as far as it can.
   *
   * One call at a time. Rejects when a callback throws; the time is then that of its timer.
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

  /** Advances to the next timer and runs it. Resolves with the elapsed ms; 0 without a timer. */
  async advanceToNext(): Promise<number> {
    await this.settle();
    const waitMs = this.nextTimerInMs ?? 0;
    if (waitMs > 0) await this.advance(waitMs);
    return waitMs;
  }

  /** Moves the wall time by `ms`, which may be negative. Timers are not affected. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** Waits until all code that waits for promises only has run as far as it can. No time passes. */
  settle(): Promise<void> {
    // A message between ports is received after all microtasks, and sooner than a timer would run.
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
    // A callback may have thrown in an earlier advance. Time never moves backwards.
    if (timerMs <= this.#timerMs) return;
    this.#wallMs += timerMs - this.#timerMs;
    this.#timerMs = timerMs;
  }
}
