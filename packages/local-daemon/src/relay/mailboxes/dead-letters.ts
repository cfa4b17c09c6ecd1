import type { Committer } from "../../journal/index.js";
import type { Store } from "../../storage/index.js";
import { type PositionRun, PositionSet } from "./position-set.js";

/** Where dead letters are noted; the fact's name is the address of the mailbox. */
const SCOPE = "dead-letters";

/** Options of {@link DeadLetters}. */
export interface DeadLettersOptions {
  readonly store: Pick<Store, "relayFacts">;
  readonly committer: Committer;
}

/**
 * Which stored messages are dead letters: they were dropped by age and never acknowledged. The messages themselves are in the
 * history of their mailbox, for as long as that is kept.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #positions = new Map<string, PositionSet>();

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [address, body] of await this.#options.store.relayFacts(SCOPE)) {
      this.#positions.set(address, new PositionSet(JSON.parse(body) as PositionRun[]));
    }
  }

  /** Addresses that have dead letters. */
  get addresses(): string[] {
    return [...this.#positions.keys()];
  }

  has(address: string, position: number): boolean {
    return this.#positions.get(address)?.has(position) === true;
  }

  /** How many dead letters of a mailbox there are. */
  count(address: string): number {
    return this.#positions.get(address)?.size ?? 0;
  }

  /** Rejects when the store fails; then they are none. */
  add(address: string, positions: readonly number[], prunedBefore: number): Promise<void> {
    const runs = (this.#positions.get(address)?.runs ?? []).filter(([, to]) => to >= prunedBefore);
    const known = new PositionSet(runs);
    for (const position of positions) known.add(position);
    return this.#put(address, known);
  }

  /** The message was sent again. Rejects when the store fails. */
  remove(address: string, position: number): Promise<void> {
    const runs = (this.#positions.get(address)?.runs ?? []).flatMap(([from, to]): PositionRun[] => {
      if (position < from || position > to) return [[from, to]];
      const parts: PositionRun[] = [
        [from, position - 1],
        [position + 1, to],
      ];
      return parts.filter(([first, last]) => first <= last);
    });
    return this.#put(address, new PositionSet(runs));
  }

  /** The mailbox is dropped. Rejects when the store fails. */
  async forget(address: string): Promise<void> {
    if (this.#positions.has(address)) await this.#put(address, new PositionSet());
  }

  async #put(address: string, positions: PositionSet): Promise<void> {
    const isEmpty = positions.size === 0;
    const body = isEmpty ? undefined : JSON.stringify(positions.runs);
    await this.#options.committer.commit([{ kind: "relayFact", scope: SCOPE, name: address, body }]);
    if (isEmpty) this.#positions.delete(address);
    else this.#positions.set(address, positions);
  }
}
