import { SERVING_LIMITS } from "../limits/index.js";

/** Options of {@link LoopDebt}. */
export interface LoopDebtOptions {
  /** When anybody else was served last, by {@link now}. */
  usedByOthersAt(): number;
  /** Work was done for the principal, at that time. */
  onUsed?(at: number): void;
  /** A monotonic clock in ms; default `performance.now`. */
  readonly now?: () => number;
}

/**
 * What one principal owes the others for work that held the loop and could not be sliced, such as a prompt of 15 MiB. While it owes
 * much and others are served, nothing more of it is read; alone it owes nothing.
 */
export class LoopDebt {
  readonly #options: LoopDebtOptions;
  readonly #now: () => number;
  #ms = 0;
  #at = 0;
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LoopDebtOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Adds the time of one piece of work; short ones are no debt. */
  add(ms: number): void {
    this.#options.onUsed?.(this.#now());
    if (ms < SERVING_LIMITS.debtWorkMs) return;
    this.#pay();
    this.#ms = Math.min(SERVING_LIMITS.debtMaxMs, this.#ms + ms);
  }

  /** Whether nothing more of the principal should be read now. */
  get isLarge(): boolean {
    if (this.#ms <= SERVING_LIMITS.debtMs) return false;
    this.#pay();
    return this.#ms > SERVING_LIMITS.debtMs;
  }

  /** Calls once it is not large any more. */
  oncePaid(callback: () => void): void {
    this.#waiting.push(callback);
    this.#schedule();
  }

  #pay(): void {
    const now = this.#now();
    const isAlone = now - this.#options.usedByOthersAt() > SERVING_LIMITS.debtQuietMs;
    this.#ms = isAlone ? 0 : Math.max(0, this.#ms - (now - this.#at) / SERVING_LIMITS.debtShare);
    this.#at = now;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.isLarge) {
        this.#schedule();
        return;
      }
      for (const callback of this.#waiting.splice(0)) callback();
    }, SERVING_LIMITS.debtLookMs);
  }
}
