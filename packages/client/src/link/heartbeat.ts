import type { Clock, Logger, Method, ProtocolEngine } from "@daemon-sdk/protocol";

/** How soon a dead link is noticed, in ms. */
export interface HeartbeatTimes {
  /** Nothing heard for this long: the daemon is asked. */
  readonly intervalMs: number;
  /** Nothing at all heard for this long after that: the link is dead. */
  readonly timeoutMs: number;
}

/** What a {@link Heartbeat} watches, and tells. */
export interface HeartbeatOptions extends HeartbeatTimes {
  readonly engine: ProtocolEngine;
  /** The question: something that changes nothing, and takes no params. */
  readonly probe: Method<object, unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The link was in doubt, and the daemon was heard. */
  onAlive(): void;
  /** The link is dead. */
  onDead(): void;
}

/** Looks per interval: silence is noticed at most a quarter of it late, and no message costs a look at the clock. */
const LOOKS = 4;

/**
 * Watches one link to a daemon. Anything that comes is a sign of life, not only an answer, and a refusal is one.
 *
 * It has one timer at a time. When the wall clock and that timer disagree by more than both times together, the computer slept or
 * its clock was set: the link is in doubt, and asked about at once. A process that was busy for long reads what waits before it judges.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #stopTimer: () => void = () => {};
  #dueAt = 0;
  /** Messages heard at the last look. */
  #heard = -1;
  #quietLooks = 0;
  #isInDoubt = false;
  #hasStopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#listen();
  }

  /** Whether the link can be relied on. A call made right after the computer slept is the first to notice: false, then. */
  isTrusted(): boolean {
    if (!this.#isInDoubt && !this.#hasStopped && this.#clockJumped()) this.#doubt();
    return !this.#isInDoubt;
  }

  /** No timer is left. */
  stop(): void {
    this.#hasStopped = true;
    this.#stopTimer();
  }

  #listen(): void {
    this.#after(this.#options.intervalMs / LOOKS, () => {
      if (this.#clockJumped()) return this.#doubt();
      this.#quietLooks = this.#hasHeard() ? 0 : this.#quietLooks + 1;
      if (this.#quietLooks >= LOOKS) this.#ask();
      else this.#listen();
    });
  }

  #doubt(): void {
    this.#options.logger.info({}, "The clock jumped; asking the daemon");
    this.#isInDoubt = true;
    this.#hasHeard();
    this.#ask();
  }

  #ask(): void {
    const { engine, probe, timeoutMs } = this.#options;
    this.#quietLooks = 0;
    engine.request(probe, {}, { timeoutMs: 0 }).then(
      () => this.#answered(),
      () => this.#answered(),
    );
    this.#after(timeoutMs, () => {
      if (this.#clockJumped()) return this.#doubt();
      // What has come and was not read yet, because this process was busy, is read before the next timer.
      this.#after(0, () => this.#judge());
    });
  }

  /** Also a refusal, and the end of the link, after which nobody asks. */
  #answered(): void {
    if (this.#hasStopped || !this.#isInDoubt) return;
    this.#isInDoubt = false;
    this.#options.onAlive();
  }

  #judge(): void {
    if (!this.#hasHeard()) {
      this.stop();
      this.#options.onDead();
      return;
    }
    this.#answered();
    if (!this.#hasStopped) this.#listen();
  }

  /** Whether anything came since this was asked last. */
  #hasHeard(): boolean {
    const { frames } = this.#options.engine.counters;
    const hasHeard = frames !== this.#heard;
    this.#heard = frames;
    return hasHeard;
  }

  #clockJumped(): boolean {
    const { clock, intervalMs, timeoutMs } = this.#options;
    return Math.abs(clock.now() - this.#dueAt) > intervalMs + timeoutMs;
  }

  #after(delayMs: number, callback: () => void): void {
    const { clock } = this.#options;
    this.#stopTimer();
    this.#dueAt = clock.now() + delayMs;
    this.#stopTimer = clock.setTimer(callback, delayMs);
  }
}
