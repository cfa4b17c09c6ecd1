import { DaemonError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/**
 * Bounds what the calls of each principal hold that are not answered yet: calls that wait for an entry or a turn's end, calls that an
 * agent has to answer. Each holds its params, on all connections of the principal together.
 */
export class CallRoom {
  readonly #units = new Map<string | undefined, number>();

  /**
   * Counts a call until `leave`. Throws `QUEUE_FULL`, with the name of the bound and its number, when the principal's open calls hold as
   * much as they may. A call that is alone may hold anything.
   *
   * @param units UTF-16 units of its message
   */
  enter(keyId: string | undefined, units: number): void {
    const open = this.#units.get(keyId) ?? 0;
    const [bound, most] =
      keyId === undefined
        ? ["openCallUnits", SERVING_LIMITS.openCallUnits]
        : ["openCallUnitsPerKey", SERVING_LIMITS.openCallUnitsPerKey];
    if (open > 0 && open + costOf(units) > most) {
      throw new DaemonError(
        "QUEUE_FULL",
        `Your calls that are not answered yet hold ${open} characters, this one has ${units}, and ${most} may wait (${bound}). ` +
          "Call again when some of them have been answered.",
      );
    }
    this.#units.set(keyId, open + costOf(units));
  }

  /** The call was answered. */
  leave(keyId: string | undefined, units: number): void {
    const left = (this.#units.get(keyId) ?? 0) - costOf(units);
    if (left > 0) this.#units.set(keyId, left);
    else this.#units.delete(keyId);
  }
}

function costOf(units: number): number {
  return units + SERVING_LIMITS.openCallOverhead;
}
