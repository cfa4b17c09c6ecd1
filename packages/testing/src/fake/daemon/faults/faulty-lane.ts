import type { Clock } from "@daemon-sdk/protocol";

/** One direction of a faulty wire. Holds messages for a time, or until they are released, and keeps their order. */
export class FaultyLane {
  readonly #clock: Clock;
  readonly #held: { readonly dueAt: number; readonly pass: () => void }[] = [];
  #delayMs = 0;
  #isStalled = false;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a message would pass at once. */
  get isClear(): boolean {
    return !this.#isStalled && this.#delayMs === 0 && this.#held.length === 0;
  }

  push(pass: () => void): void {
    if (this.isClear) {
      pass();
      return;
    }
    this.#held.push({ dueAt: this.#clock.now() + this.#delayMs, pass });
    this.#arm();
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  stall(): void {
    this.#isStalled = true;
    this.#disarm();
  }

  /** Ends the stall and delivers the held messages. */
  release(): void {
    this.#isStalled = false;
    this.#disarm();
    for (let head = this.#held.shift(); head; head = this.#held.shift()) head.pass();
  }

  /** Ends the stall and discards the held messages. */
  clear(): void {
    this.#held.length = 0;
    this.#delayMs = 0;
    this.#isStalled = false;
    this.#disarm();
  }

  #arm(): void {
    const head = this.#held[0];
    if (!head || this.#isStalled || this.#cancelTimer) return;
    this.#cancelTimer = this.#clock.setTimer(
      () => {
        this.#cancelTimer = undefined;
        this.#passDue();
      },
      Math.max(0, head.dueAt - this.#clock.now()),
    );
  }

  #passDue(): void {
    const now = this.#clock.now();
    for (let head = this.#held[0]; head && head.dueAt <= now; head = this.#held[0]) {
      this.#held.shift();
      head.pass();
    }
    this.#arm();
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
