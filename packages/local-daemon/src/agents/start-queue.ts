import type { AgentBound, Occupant } from "./occupant.js";

/** A start that waits, and how its caller learns that its time has come, or will not. */
export interface WaitingStart {
  readonly occupant: Occupant;
  proceed(): void;
  refuse(error: unknown): void;
}

/** Starts of one owner that wait for the same bounds. */
export interface WaitingGroup {
  /** The one that is next. Its owner and its bound are those of all. */
  readonly first: Occupant;
  readonly waiting: number;
}

/** By the name of an agent with a bound of its own; undefined for all the others. Never empty, and no list in it is. */
type StartsOfOwner = Map<string | undefined, WaitingStart[]>;

/**
 * Starts of agents that wait. Owners take turns, so the thousand starts of one key delay the start of another by one. The starts of
 * one owner keep their order, except that those of an agent with a bound of its own do not hold up the others.
 */
export class StartQueue {
  /** In the order in which owners are served next. An owner without a waiting start is not in it. */
  readonly #byOwner = new Map<string | undefined, StartsOfOwner>();

  /** Starts that wait. */
  get size(): number {
    return this.groups().reduce((size, { waiting }) => size + waiting, 0);
  }

  /** What waits, in the order in which it is served. */
  groups(): WaitingGroup[] {
    const lists = [...this.#byOwner.values()].flatMap((byAgent) => [...byAgent.values()]);
    return lists.flatMap((starts) =>
      starts[0] === undefined ? [] : [{ first: starts[0].occupant, waiting: starts.length }],
    );
  }

  push(start: WaitingStart): void {
    const { owner, bound } = start.occupant;
    const byAgent: StartsOfOwner = this.#byOwner.get(owner) ?? new Map();
    const starts = byAgent.get(laneOf(bound));
    if (starts === undefined) byAgent.set(laneOf(bound), [start]);
    else starts.push(start);
    this.#byOwner.set(owner, byAgent);
  }

  /** Takes out the next start for which `mayStart` holds. Its owner is served last from now on. */
  shift(mayStart: (occupant: Occupant) => boolean): WaitingStart | undefined {
    for (const [owner, byAgent] of this.#byOwner) {
      for (const [agent, starts] of byAgent) {
        const [start] = starts;
        if (start === undefined || !mayStart(start.occupant)) continue;
        starts.shift();
        byAgent.delete(agent);
        if (starts.length > 0) byAgent.set(agent, starts);
        this.#byOwner.delete(owner);
        if (byAgent.size > 0) this.#byOwner.set(owner, byAgent);
        return start;
      }
    }
    return undefined;
  }

  /** Takes out one start. False when it does not wait any more. */
  remove(start: WaitingStart): boolean {
    const { owner, bound } = start.occupant;
    const byAgent = this.#byOwner.get(owner);
    const starts = byAgent?.get(laneOf(bound)) ?? [];
    const index = starts.indexOf(start);
    if (index === -1) return false;
    starts.splice(index, 1);
    if (starts.length === 0) byAgent?.delete(laneOf(bound));
    if (byAgent?.size === 0) this.#byOwner.delete(owner);
    return true;
  }

  /** Starts of the same owner, and the same bound, that wait before this occupant's. */
  before(occupant: Occupant): number {
    const starts = this.#byOwner.get(occupant.owner)?.get(laneOf(occupant.bound)) ?? [];
    return Math.max(
      0,
      starts.findIndex((start) => start.occupant === occupant),
    );
  }
}

/** Starts of an agent with a bound of its own wait apart, under the agent's name. */
function laneOf(bound: AgentBound | undefined): string | undefined {
  return bound?.most === undefined ? undefined : bound.agent;
}
