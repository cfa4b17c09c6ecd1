import { SessionError, type SessionId } from "@daemon-sdk/protocol";
import type { KeyPolicies } from "../access/index.js";
import type { SessionLimits } from "../limits/index.js";
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

  /** Makes room for a session. Throws `SESSION_STATE`, with the name of the bound and its number, when there is none. */
  async makeRoom(sessionId: SessionId, owner: string | undefined): Promise<void> {
    if (owner === undefined) return;
    const { store, limits, policies } = this.#options;
    const general = { name: "storedSessionsPerKey", most: limits.storedSessionsPerKey };
    const { name, most } = policies.quota(owner, "storedSessions", general);
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
}
