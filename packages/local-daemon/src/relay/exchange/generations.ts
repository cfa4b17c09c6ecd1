import type { MailAccount } from "@daemon-sdk/protocol/relay";

/** One generation of an outbox: the positions after `start`, up to the start of the next one. */
export interface Generation {
  readonly id: number;
  readonly start: number;
}

/**
 * The generations of one outbox. Pure.
 *
 * A position names one letter only as long as no store is restored from a copy: afterwards the same positions are used again. So
 * each start of the daemon writes under a new generation, whose id is larger, and the receiver keys letters by both.
 */
export class Generations {
  #list: readonly Generation[];

  /** @param list as {@link list} gave it; empty for a new outbox */
  constructor(list: readonly Generation[] = []) {
    this.#list = list;
  }

  get list(): readonly Generation[] {
    return this.#list;
  }

  /**
   * Begins a generation after the positions that exist.
   *
   * @param options.lowWater generations without a letter after it are dropped
   */
  begin({ now, start, lowWater }: { now: number; start: number; lowWater: number }): void {
    const waiting = this.#list.filter(({ start: first }, index) => {
      const end = this.#list[index + 1]?.start ?? start;
      return first < end && end > lowWater;
    });
    this.#list = [...waiting, { id: Math.max(now, this.#newest + 1), start }];
  }

  /** Puts one generation in place of all: the receiver lost its account, and letters that it had are gone here. */
  renew({ now, start, above }: { now: number; start: number; above: number }): void {
    this.#list = [{ id: Math.max(now, this.#newest + 1, above + 1), start }];
  }

  /** The generation of a position. */
  of(position: number): Generation {
    const found = this.#list.findLast(({ start }) => start < position) ?? this.#list[0];
    return found ?? { id: 0, start: 0 };
  }

  /** The last position of this outbox that an account covers; 0 when its generation is not one of these. */
  reached({ generation, position }: MailAccount): number {
    const index = this.#list.findIndex(({ id }) => id === generation);
    if (index < 0) return 0;
    // What an earlier daemon wrote after that was lost with its store.
    return Math.min(position, this.#list[index + 1]?.start ?? position);
  }

  /** Whether a receiver with that account takes the letter after `lowWater`. */
  isTaken({ generation, position }: MailAccount, lowWater: number): boolean {
    const { id, start } = this.of(lowWater + 1);
    return generation === id ? position >= lowWater : generation < id && start === lowWater;
  }

  get #newest(): number {
    return this.#list.at(-1)?.id ?? 0;
  }
}
