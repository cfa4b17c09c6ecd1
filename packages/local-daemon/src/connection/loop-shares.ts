import { SERVING_LIMITS } from "../limits/index.js";

/** Messages that a sender may have handled in one turn of the loop, and the time after which its share is used up. */
export interface ShareSize {
  readonly messages: number;
  readonly ms: number;
}

/**
 * How much of each turn of the event loop one sender may have, on all its connections together.
 *
 * What a sender sends beyond its share waits for the next turn, so that a flood delays the messages of others by one share and
 * not by the flood. Connections of one share take turns.
 */
export class LoopShare {
  readonly #size: ShareSize;
  #messages = 0;
  #spentMs = 0;
  #isTurnScheduled = false;
  #waiting: (() => boolean)[] = [];

  constructor(size: ShareSize) {
    this.#size = size;
  }

  /** Whether nothing more may run in this turn of the loop. */
  get isSpent(): boolean {
    return this.#messages >= this.#size.messages || this.#spentMs >= this.#size.ms;
  }

  /** Runs `work` now, and counts it. */
  run(work: () => void): void {
    this.#scheduleTurn();
    const since = performance.now();
    try {
      work();
    } finally {
      this.#messages++;
      this.#spentMs += performance.now() - since;
    }
  }

  /** Calls `next` in later turns of the loop, each time for one message, until it returns false. */
  wait(next: () => boolean): void {
    this.#waiting.push(next);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnScheduled = false;
    this.#messages = 0;
    this.#spentMs = 0;
    while (!this.isSpent) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (next()) this.#waiting.push(next);
    }
    if (this.#waiting.length > 0) this.#scheduleTurn();
  }
}

/** The shares of all principals; connections that have not authenticated have one together. */
export class LoopShares {
  readonly strangers = new LoopShare(SERVING_LIMITS.keyTurn);
  readonly #byPrincipal = new Map<string | undefined, LoopShare>();

  /** The share of a principal, by the id of its key; undefined: the person. */
  of(keyId: string | undefined): LoopShare {
    const { personTurn, keyTurn } = SERVING_LIMITS;
    const known = this.#byPrincipal.get(keyId) ?? new LoopShare(keyId === undefined ? personTurn : keyTurn);
    this.#byPrincipal.set(keyId, known);
    return known;
  }
}
