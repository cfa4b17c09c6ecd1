import type { SessionShelf } from "./memory-shelf.js";
import type { StoredBytes } from "./store.js";

/** The bytes of sessions in memory, of each principal. */
export class MemoryBytes implements StoredBytes {
  readonly #totals = new Map<string, number>();

  of(owner: string | undefined): number {
    return this.#totals.get(owner ?? "") ?? 0;
  }

  all(): ReadonlyMap<string | undefined, number> {
    const stored = [...this.#totals].filter(([, bytes]) => bytes > 0);
    return new Map(stored.map(([owner, bytes]) => [owner === "" ? undefined : owner, bytes]));
  }

  /** A session has changed, in bytes or in its owner. Without a row it is the person's. */
  count(shelf: SessionShelf): void {
    this.#add(shelf.counted.owner, -shelf.counted.bytes);
    shelf.counted = { owner: (shelf.row ?? shelf.draft)?.owner ?? "", bytes: shelf.bytes };
    this.#add(shelf.counted.owner, shelf.bytes);
  }

  #add(owner: string, bytes: number): void {
    this.#totals.set(owner, (this.#totals.get(owner) ?? 0) + bytes);
  }
}
