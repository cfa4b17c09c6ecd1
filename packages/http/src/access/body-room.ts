import { HttpRefusal } from "../problem/index.js";

/** Bounds of a {@link BodyRoom}, in bytes. */
export interface BodyRoomBounds {
  readonly perPrincipal: number;
  readonly inAll: number;
  /** What a body counts as from its beginning: a request that waits for its body costs memory as well. */
  readonly perBody: number;
}

/** One body while its request is served. */
export interface BodyPlace {
  /** Counts bytes that arrived. Throws the refusal at a bound. */
  add(bytes: number): void;
  /** The request was answered. Later calls do nothing. */
  end(): void;
}

/** Counts the bytes of bodies whose requests are not answered, of each principal and of all. */
export class BodyRoom {
  readonly #bounds: BodyRoomBounds;
  readonly #bytes = new Map<string, number>();
  #total = 0;

  constructor(bounds: BodyRoomBounds) {
    this.#bounds = bounds;
  }

  /** Bytes that are counted now. */
  get total(): number {
    return this.#total;
  }

  /** Counts a body from its beginning. Throws the refusal at a bound. */
  open(principalId: string): BodyPlace {
    let held = 0;
    const add = (bytes: number) => {
      this.#check(principalId, bytes);
      held += bytes;
      this.#count(principalId, bytes);
    };
    const end = () => {
      this.#count(principalId, -held);
      held = 0;
    };
    add(this.#bounds.perBody);
    return { add, end };
  }

  #check(principalId: string, bytes: number): void {
    const { perPrincipal, inAll } = this.#bounds;
    const own = this.#bytes.get(principalId) ?? 0;
    if (own + bytes > perPrincipal)
      throw full(`Requests of this caller hold ${own} bytes of bodies, of at most ${perPrincipal}`);
    if (this.#total + bytes > inAll)
      throw full(`Requests of all callers hold ${this.#total} bytes of bodies, of at most ${inAll}`);
  }

  #count(principalId: string, bytes: number): void {
    this.#total += bytes;
    const own = (this.#bytes.get(principalId) ?? 0) + bytes;
    if (own === 0) this.#bytes.delete(principalId);
    else this.#bytes.set(principalId, own);
  }
}

function full(what: string): HttpRefusal {
  return new HttpRefusal(429, "QUEUE_FULL", `${what}. Send fewer at a time, or try again.`, { "retry-after": "5" });
}
