import type { RelayLimits } from "../../limits/index.js";

/** Whose names have one bound together: those of the person, and those of all programs that have proven nothing. */
export type NameHolder = "person" | "programs";

/** A name as its room counts it. */
export interface CountedName {
  readonly holder: NameHolder;
  /** Length of what is stored of it, in UTF-16 units. */
  readonly units: number;
  /** When its last connection ended, in Unix milliseconds; undefined while it is connected. */
  readonly awaySince?: number | undefined;
  /** Its owner has given it up. */
  readonly isReleased?: boolean | undefined;
}

/** A full {@link NameRoom}: which bound was met, for people. */
export interface NameRoomFault {
  readonly message: string;
}

/** What one holder has. */
interface Share {
  names: number;
  units: number;
  /** Names that were given up, oldest first. */
  readonly released: Set<string>;
  /** Names that have lost their connection, oldest first, and when. */
  readonly away: Map<string, number>;
}

/** Options of {@link NameRoom}. */
export interface NameRoomOptions {
  readonly limits: Pick<RelayLimits, "relayNames" | "relayNamesUnits" | "relayRecentUserMs">;
  readonly now: () => number;
}

/**
 * How many names each holder has, how long they are together, and which of them is the next to be forgotten for another one: first
 * what was given up, then what has lost its connection so long ago that its client does not come back by itself.
 */
export class NameRoom {
  readonly #options: NameRoomOptions;
  readonly #names = new Map<string, CountedName>();
  readonly #shares: Readonly<Record<NameHolder, Share>> = { person: noNames(), programs: noNames() };

  constructor(options: NameRoomOptions) {
    this.#options = options;
  }

  /** Counts a name, or counts it anew. */
  put(address: string, name: CountedName): void {
    this.delete(address);
    this.#names.set(address, name);
    const share = this.#shares[name.holder];
    share.names += 1;
    share.units += name.units;
    if (name.awaySince === undefined) return;
    if (name.isReleased === true) share.released.add(address);
    else share.away.set(address, name.awaySince);
  }

  /** Counts a name no more. */
  delete(address: string): void {
    const name = this.#names.get(address);
    if (name === undefined) return;
    this.#names.delete(address);
    const share = this.#shares[name.holder];
    share.names -= 1;
    share.units -= name.units;
    share.released.delete(address);
    share.away.delete(address);
  }

  /**
   * Names that have to be forgotten for a holder to have one of that length, in their order; or why there is no room.
   *
   * @param kept returns which names must be kept; called only when the room is full
   */
  neededFor(
    address: string,
    { holder, units }: CountedName,
    kept: () => (address: string) => boolean,
  ): readonly string[] | NameRoomFault {
    const { relayNames, relayNamesUnits } = this.#options.limits;
    const known = this.#names.get(address);
    const own = known?.holder === holder ? known : undefined;
    let names = this.#shares[holder].names + (own === undefined ? 1 : 0);
    let length = this.#shares[holder].units + units - (own?.units ?? 0);
    const forgotten: string[] = [];
    const isOver = () => names > relayNames || length > relayNamesUnits;
    // Most HELLOs end here.
    if (!isOver()) return forgotten;
    const isNeeded = kept();
    for (const candidate of this.#forgettable(holder)) {
      if (candidate === address || isNeeded(candidate)) continue;
      forgotten.push(candidate);
      names -= 1;
      length -= this.#names.get(candidate)?.units ?? 0;
      if (!isOver()) return forgotten;
    }
    return { message: this.#faultOf(holder) };
  }

  *#forgettable(holder: NameHolder): Generator<string> {
    const { released, away } = this.#shares[holder];
    yield* released;
    const oldest = this.#options.now() - this.#options.limits.relayRecentUserMs;
    for (const [address, since] of away) {
      if (since > oldest) return;
      yield address;
    }
  }

  #faultOf(holder: NameHolder): string {
    const { limits } = this.#options;
    const { names, units } = this.#shares[holder];
    const whose = holder === "person" ? "The programs of the person" : "Programs that have proven nothing";
    const bound =
      names >= limits.relayNames
        ? `${names} names, and ${limits.relayNames} are the limit (relayNames)`
        : `names of ${units} characters with what they state, and ${limits.relayNamesUnits} are the limit (relayNamesUnits)`;
    return (
      `${whose} have ${bound}. What is connected, was connected within the last ${limits.relayRecentUserMs / 1_000} s, or has ` +
      "mail is kept. Say BYE with a name that is not used any more, or remove it with REMOVE_AGENT."
    );
  }
}

function noNames(): Share {
  return { names: 0, units: 0, released: new Set(), away: new Map() };
}
