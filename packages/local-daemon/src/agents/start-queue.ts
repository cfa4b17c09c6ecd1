import type { Occupant } from "./occupant.js";

/** A start that waits, and how its caller learns that its time has come, or will not. */
export interface WaitingStart {
  readonly occupant: Occupant;
  proceed(): void;
  refuse(error: unknown): void;
}

/**
 * Starts of agents that wait. Owners take turns, so the thousand starts of one key delay the start of another by one; the
 * starts of one owner keep their order.
 */
export class StartQueue {
  /** In the order in which owners are served next. An owner without a waiting start is not in it. */
  readonly #byOwner = new Map<string | undefined, WaitingStart[]>();

  /** Starts that wait. */
  get size(): number {
    let size = 0;
    for (const starts of this.#byOwner.values()) size += starts.length;
    return size;
  }

  /** How many starts of each owner wait, in the order in which owners are served. */
  waitingByOwner(): [owner: string | undefined, waiting: number][] {
    return [...this.#byOwner].map(([owner, starts]) => [owner, starts.length]);
  }

  push(start: WaitingStart): void {
    const { owner } = start.occupant;
    const starts = this.#byOwner.get(owner);
    if (starts === undefined) this.#byOwner.set(owner, [start]);
    else starts.push(start);
  }

  /** Takes out the next start among the owners for which `mayStart` holds. That owner is served last from now on. */
  shift(mayStart: (owner: string | undefined) => boolean): WaitingStart | undefined {
    for (const [owner, starts] of this.#byOwner) {
      if (!mayStart(owner)) continue;
      const start = starts.shift();
      this.#byOwner.delete(owner);
      if (starts.length > 0) this.#byOwner.set(owner, starts);
      return start;
    }
    return undefined;
  }

  /** Takes out one start. False when it does not wait any more. */
  remove(start: WaitingStart): boolean {
    const { owner } = start.occupant;
    const starts = this.#byOwner.get(owner) ?? [];
    const index = starts.indexOf(start);
    if (index === -1) return false;
    starts.splice(index, 1);
    if (starts.length === 0) this.#byOwner.delete(owner);
    return true;
  }

  /** Starts of the same owner that wait before this occupant's. */
  before(occupant: Occupant): number {
    const starts = this.#byOwner.get(occupant.owner) ?? [];
    return Math.max(
      0,
      starts.findIndex((start) => start.occupant === occupant),
    );
  }
}
