import type { SessionId } from "@daemon-sdk/protocol";
import type { Bound, KeyPolicies } from "../access/index.js";
import type { SessionLimits } from "../limits/index.js";
import { quotaExceeded } from "../refusals.js";
import type { StoredBytes } from "../storage/index.js";

/** Options of {@link StoredRoom}. */
export interface StoredRoomOptions {
  /** Default: a store that does not count, and of which no bound holds. */
  readonly storedBytes?: StoredBytes | undefined;
  readonly limits: Pick<SessionLimits, "storedBytesPerKey" | "storedBytesOfPerson">;
  readonly policies: KeyPolicies;
}

/** How far a running turn may exceed a bound, as a part of it. */
const OVERRUN = 1 / 4;

/**
 * How much the sessions of each principal may store. At the bound nothing new begins: no prompt, no session, no change of one. A turn
 * that runs goes on to its end, and is interrupted when it stores a fourth of the bound more. Deleting sessions makes room.
 */
export class StoredRoom {
  readonly #options: StoredRoomOptions;

  constructor(options: StoredRoomOptions) {
    this.#options = options;
  }

  /** Throws `QUOTA_EXCEEDED`, with the name of the bound and the numbers, when a session may not store so many bytes more. */
  check(sessionId: SessionId, owner: string | undefined, added = 0): void {
    const { name, most } = this.boundOf(owner);
    const stored = this.#stored(owner);
    if (stored < most && stored + added <= most) return;
    const more = added === 0 ? "" : `, this one adds ${added}`;
    throw quotaExceeded(
      `${stored} bytes are stored in ${whose(owner)}${more}, and ${most} may be (${name}). Delete sessions, or raise it.`,
      sessionId,
    );
  }

  /** Why a running turn must not go on; undefined while it may. */
  overrun(owner: string | undefined): string | undefined {
    const { name, most } = this.boundOf(owner);
    const stored = this.#stored(owner);
    if (stored <= most * (1 + OVERRUN)) return undefined;
    return `${stored} bytes are stored in ${whose(owner)}, a fourth more than the ${most} that may be (${name}). The turn was interrupted, and what the agent sends is not stored. Delete sessions, or raise it.`;
  }

  /** What the sessions of a principal may store. */
  boundOf(owner: string | undefined): Bound {
    const { limits, policies } = this.#options;
    if (owner === undefined) return { name: "limits.storedBytesOfPerson", most: limits.storedBytesOfPerson };
    return policies.quota(owner, "storedBytes", { name: "limits.storedBytesPerKey", most: limits.storedBytesPerKey });
  }

  /** What each principal has stored; undefined where nobody counts. */
  all(): ReadonlyMap<string | undefined, number> | undefined {
    return this.#options.storedBytes?.all();
  }

  #stored(owner: string | undefined): number {
    return this.#options.storedBytes?.of(owner) ?? 0;
  }
}

function whose(owner: string | undefined): string {
  return owner === undefined ? "the sessions of this user" : "the sessions of this key";
}
