import type { Clock, Logger, Method, ProtocolEngine } from "@daemon-sdk/protocol";
import type { HeartbeatOptions } from "../connection/index.js";

/** What a {@link Heartbeat} watches, how often, and what it calls. */
export interface HeartbeatParts extends Required<HeartbeatOptions> {
  readonly engine: ProtocolEngine;
  /** The method that checks the link. It takes no params and changes nothing. */
  readonly probe: Method<object, unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when a frame arrived on a link that was in doubt. */
  onAlive(): void;
  /** Called once, when the link counts as dead. */
  onDead(): void;
}

/** Checks per interval: silence is detected at most a quarter of an interval late, and no frame needs a time stamp. */
const CHECKS = 4;

/**
 * Detects that one link to a daemon is dead. Every frame that arrives shows that the link is alive, an error response included.
 *
 * One timer runs at a time. When it fires earlier or later than planned, by the wall clock and by more than both times together,
 * the computer slept or its clock was set: the link is then in doubt, and is checked at once. A process that was busy for
 * long reads the frames that wait before the link counts as dead.
 */
export class Heartbeat {
  readonly #options: HeartbeatParts;
  #stopTimer: () => void = () => {};
  #dueAt = 0;
  /** Frames received up to the last check. */
  #frames = -1;
  #quietChecks = 0;
  #isInDoubt = false;
  #hasStopped = false;

  constructor(options: HeartbeatParts) {
    this.#options = options;
    this.#check();
  }

  /**
   * Whether calls may be sent. False while the link is in doubt. After the computer slept, a call may detect that before the
   * timer does.
   */
  isTrusted(): boolean {
    if (!this.#isInDoubt && !this.#hasStopped && this.#clockJumped()) this.#doubt();
    return !this.#isInDoubt;
  }

  /** Stops the timer; nothing is called after that. */
  stop(): void {
    this.#hasStopped = true;
    this.#stopTimer();
  }

  #check(): void {
    this.#after(this.#options.intervalMs / CHECKS, () => {
      if (this.#clockJumped()) return this.#doubt();
      this.#quietChecks = this.#hasReceived() ? 0 : this.#quietChecks + 1;
      if (this.#quietChecks >= CHECKS) this.#ask();
      else this.#check();
    });
  }

  #doubt(): void {
    this.#options.logger.info({}, "The clock jumped; checking the link");
    this.#isInDoubt = true;
    this.#hasReceived();
    this.#ask();
  }

  #ask(): void {
    const { engine, probe, timeoutMs } = this.#options;
    this.#quietChecks = 0;
    engine.request(probe, {}, { timeoutMs: 0 }).then(
      () => this.#answered(),
      () => this.#answered(),
    );
    this.#after(timeoutMs, () => {
      if (this.#clockJumped()) return this.#doubt();
      // Frames that arrived and were not read yet, because this process was busy, are read before the next timer.
      this.#after(0, () => this.#judge());
    });
  }

  /** Also called for an error response, and for the end of the link, which has stopped this heartbeat then. */
  #answered(): void {
    if (this.#hasStopped || !this.#isInDoubt) return;
    this.#isInDoubt = false;
    this.#options.onAlive();
  }

  #judge(): void {
    if (!this.#hasReceived()) {
      this.stop();
      this.#options.onDead();
      return;
    }
    this.#answered();
    if (!this.#hasStopped) this.#check();
  }

  /** Whether any frame arrived since the last call. */
  #hasReceived(): boolean {
    const { frames } = this.#options.engine.counters;
    const hasReceived = frames !== this.#frames;
    this.#frames = frames;
    return hasReceived;
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
