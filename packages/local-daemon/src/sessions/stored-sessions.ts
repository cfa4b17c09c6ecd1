import { SessionError, type SessionId } from "@daemon-sdk/protocol";
import type { Bound, KeyPolicies } from "../access/index.js";
import type { SessionLimits } from "../limits/index.js";
import { quotaExceeded } from "../refusals.js";
import type { SessionRow, Store } from "../storage/index.js";

/** Options of {@link StoredSessions}. */
export interface StoredSessionsOptions {
  readonly store: Pick<Store, "countSessions" | "oldestSessions">;
  readonly limits: Pick<SessionLimits, "storedSessionsPerKey">;
  readonly policies: KeyPolicies;
  /** Deletes a session that nobody uses. Resolves to false when it is in use. */
  delete(row: SessionRow): Promise<boolean>;
}

/**
 * How many sessions of each configured key are stored. At the bound the key's oldest archived session makes room for a new one: who
 * archives a session is done with it. A session that is not archived is never deleted for another.
 */
export class StoredSessions {
  readonly #options: StoredSessionsOptions;

  constructor(options: StoredSessionsOptions) {
    this.#options = options;
  }

  /**
   * Throws `QUOTA_EXCEEDED`, with the name of the bound and its number, when {@link makeRoom} would make none for a session that comes from
   * another machine. Deletes nothing: the session may not come after all.
   */
  async checkRoom(sessionId: SessionId, owner: string | undefined): Promise<void> {
    if (owner === undefined) return;
    const { store } = this.#options;
    const { name, most } = this.#boundOf(owner);
    if ((await store.countSessions(owner)) < most) return;
    if ((await store.oldestSessions({ archived: true, owner, limit: 1 })).length > 0) return;
    throw quotaExceeded(
      `${most} sessions of this key are stored on the machine already (${name}), and none of them is archived. Archive or delete some, or raise it.`,
      sessionId,
    );
  }

  /** Makes room for a session. Throws `SESSION_STATE`, with the name of the bound and its number, when there is none. */
  async makeRoom(sessionId: SessionId, owner: string | undefined): Promise<void> {
    if (owner === undefined) return;
    const { store } = this.#options;
    const { name, most } = this.#boundOf(owner);
    if ((await store.countSessions(owner)) < most) return;
    for (const row of await store.oldestSessions({ archived: true, owner, limit: 16 })) {
      if (await this.#options.delete(row)) return;
    }
    throw new SessionError(
      "SESSION_STATE",
      `${most} sessions of this key are stored already (${name}), and none of them is archived and unused. Archive or delete some, or raise it.`,
      { sessionId },
    );
  }

  #boundOf(owner: string): Bound {
    const { limits, policies } = this.#options;
    const general = { name: "storedSessionsPerKey", most: limits.storedSessionsPerKey };
    return policies.quota(owner, "storedSessions", general);
  }
}
