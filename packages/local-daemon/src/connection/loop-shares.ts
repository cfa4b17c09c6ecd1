import { SERVING_LIMITS } from "../limits/index.js";
import { LoopDebt } from "./loop-debt.js";

/** Messages that a sender may have handled in one turn of the loop, and the time after which its share is used up. */
export interface ShareSize {
  readonly messages: number;
  readonly ms: number;
}

/**
 * How much of each turn of the event loop one sender may have, on all its connections together.
 *
 * What a sender sends beyond its share waits for the next turn, so that a flood delays the messages of others by one share and
 * not by the flood. Connections of one share take turns. Work that takes much longer than a share is a debt ({@link LoopDebt}).
 */
export class LoopShare {
  readonly #size: ShareSize;
  readonly #debt: LoopDebt | undefined;
  #messages = 0;
  #spentMs = 0;
  /** When something of it was done last. */
  #usedAt = Number.NEGATIVE_INFINITY;
  /** Something was sent to its connections since the last look. */
  #hasSent = false;
  #isTurnScheduled = false;
  #waiting: (() => boolean)[] = [];

  /** @param debt what it owes; default: it may hold the loop for as long as it takes */
  constructor(size: ShareSize, debt?: LoopDebt) {
    this.#size = size;
    this.#debt = debt;
  }

  /** When something of it was done last, or was seen to have been sent to it. */
  get usedAt(): number {
    if (this.#hasSent) this.#usedAt = performance.now();
    this.#hasSent = false;
    return this.#usedAt;
  }

  /** Whether nothing more may run in this turn of the loop. */
  get isSpent(): boolean {
    return this.#messages >= this.#size.messages || this.#spentMs >= this.#size.ms || this.#debt?.isLarge === true;
  }

  /** Runs `work` now, and counts it as a message. */
  run(work: () => void): void {
    this.#messages++;
    this.charge(work);
  }

  /** Runs `work` now, and counts its time. */
  charge(work: () => void): void {
    this.#scheduleTurn();
    const since = performance.now();
    try {
      work();
    } finally {
      this.#usedAt = performance.now();
      this.#spentMs += this.#usedAt - since;
      this.#debt?.add(this.#usedAt - since);
    }
  }

  /** Something is sent to one of its connections. Who only watches is served as well. */
  noteSent(): void {
    this.#hasSent = true;
  }

  /** Counts time of work that is done for it in turns of others. */
  owe(ms: number): void {
    this.#debt?.add(ms);
  }

  /** Calls `next` in later turns of the loop, each time for one message, until it returns false. */
  wait(next: () => boolean): void {
    this.#waiting.push(next);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    if (this.#debt?.isLarge === true) this.#debt.oncePaid(() => this.#turn());
    else setImmediate(() => this.#turn());
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

/** In place of a key's id. */
const PROGRAM = Symbol("a program of the relay");

/** The shares of all principals; connections that have not authenticated have one together. */
export class LoopShares {
  readonly strangers = new LoopShare(SERVING_LIMITS.keyTurn);
  /** All programs on the relay that have proven nothing have one share, in turns; each connection has a debt of its own. */
  readonly #programs = new LoopShare(SERVING_LIMITS.keyTurn);
  /** The last two programs that were served, the latest first. */
  #served: readonly { readonly debt: LoopDebt; readonly at: number }[] = [];
  readonly #byPrincipal = new Map<string | undefined, LoopShare>();
  readonly #debts = new Map<string, LoopDebt>();

  /** The share of a principal, by the id of its key; undefined: the person. */
  of(keyId: string | undefined): LoopShare {
    const { personTurn, keyTurn } = SERVING_LIMITS;
    const known =
      this.#byPrincipal.get(keyId) ??
      (keyId === undefined ? new LoopShare(personTurn) : new LoopShare(keyTurn, this.#debtOf(keyId)));
    this.#byPrincipal.set(keyId, known);
    return known;
  }

  /** The account of one connection of a program that has proven nothing. */
  program(): { readonly share: LoopShare; readonly debt: LoopDebt } {
    const debt: LoopDebt = new LoopDebt({
      usedByOthersAt: () => Math.max(this.#usedByOthersAt(PROGRAM), this.#otherProgramAt(debt)),
      onUsed: (at) => this.#noteProgram(debt, at),
    });
    return { share: this.#programs, debt };
  }

  /** Whether nothing more should be done for a principal now. */
  owes(keyId: string | undefined): boolean {
    return keyId !== undefined && this.#debtOf(keyId).isLarge;
  }

  /** Calls once, now or when a principal owes little. */
  oncePaid(keyId: string | undefined, callback: () => void): void {
    if (keyId !== undefined && this.owes(keyId)) this.#debtOf(keyId).oncePaid(callback);
    else callback();
  }

  #noteProgram(debt: LoopDebt, at: number): void {
    this.#served = [{ debt, at }, ...this.#served.filter((other) => other.debt !== debt).slice(0, 1)];
  }

  #otherProgramAt(debt: LoopDebt): number {
    return this.#served.find((other) => other.debt !== debt)?.at ?? Number.NEGATIVE_INFINITY;
  }

  #debtOf(keyId: string): LoopDebt {
    const usedByOthersAt = () => Math.max(this.#usedByOthersAt(keyId), this.#programs.usedAt);
    const known = this.#debts.get(keyId) ?? new LoopDebt({ usedByOthersAt });
    this.#debts.set(keyId, known);
    return known;
  }

  #usedByOthersAt(keyId: string | symbol): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const [other, { usedAt }] of this.#byPrincipal) if (other !== keyId) last = Math.max(last, usedAt);
    return last;
  }
}
