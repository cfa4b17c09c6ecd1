import type { NamePlace } from "@daemon-sdk/protocol/relay";

/** Names that other machines of the fleet know. Hints: they may be late, and the machine may be gone. */
export class NamesElsewhere {
  /** Called when a name connects on another machine, or is connected on none of them any more. */
  onPresence: ((name: string, isConnected: boolean, at: number) => void) | undefined;
  readonly #places = new Map<string, Map<string, NamePlace>>();

  /** Takes over what a machine announces of a name; undefined: it does not know the name any more. */
  set(machineId: string, name: string, place: NamePlace | undefined): void {
    const places = this.#places.get(name) ?? new Map<string, NamePlace>();
    const wasConnected = isAnyConnected(places);
    if (place === undefined) places.delete(machineId);
    else places.set(machineId, place);
    if (places.size === 0) this.#places.delete(name);
    else this.#places.set(name, places);
    const isConnected = isAnyConnected(places);
    if (isConnected !== wasConnected) this.onPresence?.(name, isConnected, place?.lastSeen ?? 0);
  }

  /** Names of that kind that are connected on another machine. */
  connected(entityType: "agent" | "user"): string[] {
    return [...this.#places].flatMap(([name, places]) => {
      const isThere = [...places.values()].some((place) => place.isConnected && place.entityType === entityType);
      return isThere ? [name] : [];
    });
  }

  /** Machines that announce a name, or, with `connected`, one that is connected. */
  machines(which: "known" | "connected"): string[] {
    const machines = new Set<string>();
    for (const places of this.#places.values()) {
      for (const [machineId, { isConnected }] of places) if (isConnected || which === "known") machines.add(machineId);
    }
    return [...machines];
  }

  /** The machine to which mail for a name goes: where the name is connected, else where it was last. */
  machineOf(name: string): string | undefined {
    let best: readonly [string, NamePlace] | undefined;
    for (const one of this.#places.get(name) ?? []) if (best === undefined || isBetter(one[1], best[1])) best = one;
    return best?.[0];
  }

  /** The daemon has left its fleet: nothing is known of other machines. */
  clear(): void {
    this.#places.clear();
  }
}

function isAnyConnected(places: ReadonlyMap<string, NamePlace>): boolean {
  for (const place of places.values()) if (place.isConnected) return true;
  return false;
}

function isBetter(one: NamePlace, other: NamePlace): boolean {
  return one.isConnected === other.isConnected ? one.lastSeen > other.lastSeen : one.isConnected;
}
