import { HttpRefusal } from "../problem/index.js";

/** Bounds of {@link OpenStreams}. */
export interface StreamBounds {
  readonly streamsPerPrincipal: number;
  readonly streams: number;
}

/** Counts the open streams of events, of each principal and of all. */
export class OpenStreams {
  readonly #bounds: StreamBounds;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds;
  }

  /** Counts one more, and returns what ends it. Throws the refusal at a bound. */
  open(principalId: string): () => void {
    const count = this.#counts.get(principalId) ?? 0;
    if (count >= this.#bounds.streamsPerPrincipal || this.#total >= this.#bounds.streams) {
      throw new HttpRefusal(429, "QUEUE_FULL", `${count} streams of this caller are open. Close one, or try again.`, {
        "retry-after": "5",
      });
    }
    this.#counts.set(principalId, count + 1);
    this.#total++;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#total--;
      const left = (this.#counts.get(principalId) ?? 1) - 1;
      if (left === 0) this.#counts.delete(principalId);
      else this.#counts.set(principalId, left);
    };
  }
}
