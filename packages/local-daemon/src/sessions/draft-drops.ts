import type { Logger, SessionId } from "@daemon-sdk/protocol";
import type { Committer } from "../journal/index.js";
import { STORAGE_LIMITS } from "../limits/index.js";
import { BACKGROUND } from "../loop/index.js";
import { daemonStopping } from "../refusals.js";
import type { Store } from "../storage/index.js";

/** Options of {@link DraftDrops}. */
export interface DraftDropsOptions {
  readonly store: Store;
  readonly committer: Committer;
  readonly logger: Logger;
}

/**
 * Drops the rows of sessions that nobody sees: copies that were cut off, and sessions that were deleted.
 *
 * A session may have a hundred thousand rows, so they are dropped in slices, and the loop serves others between two of them. What
 * a stopped daemon leaves is dropped by the next one.
 */
export class DraftDrops {
  readonly #options: DraftDropsOptions;
  #shrinking: Promise<void> | undefined;
  readonly #dropping = new Map<SessionId, Promise<void>>();
  #isStopping = false;

  constructor(options: DraftDropsOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is left of a draft, or the daemon stops. */
  drop(id: SessionId): Promise<void> {
    const known = this.#dropping.get(id);
    if (known !== undefined) return known;
    const dropping = this.#drop(id).finally(() => {
      this.#dropping.delete(id);
      if (this.#dropping.size > 0) return;
      // Not inside: where nothing is to do, it would be over before it is noted here.
      this.#shrinking ??= this.#shrink().finally(() => {
        this.#shrinking = undefined;
      });
    });
    this.#dropping.set(id, dropping);
    return dropping;
  }

  /** Resolves when the id is free: a new session must not get rows of a former one. Rejects with `DAEMON_STOPPING`. */
  async free(id: SessionId): Promise<void> {
    while ((await this.#options.store.drafts()).includes(id)) {
      if (this.#isStopping) throw daemonStopping();
      await this.drop(id);
    }
  }

  /** Resolves when no rows are dropped any more, and the disk has what it gets back. */
  async idle(): Promise<void> {
    while (this.#dropping.size > 0 || this.#shrinking !== undefined) {
      await Promise.allSettled([...this.#dropping.values(), this.#shrinking]);
    }
  }

  /** Ends behind the present slices. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Gives the room back to the disk, in slices, too. */
  async #shrink(): Promise<void> {
    const { store, logger } = this.#options;
    try {
      while (!this.#isStopping && (await store.shrink?.()) === true) await BACKGROUND.next();
    } catch (error) {
      logger.warn({ error: String(error) }, "the store could not give room back to the disk");
    }
  }

  async #drop(id: SessionId): Promise<void> {
    const { store, committer } = this.#options;
    while (!this.#isStopping && (await store.drafts()).includes(id)) {
      await BACKGROUND.next();
      await committer.commit([{ kind: "dropDraft", sessionId: id, rows: STORAGE_LIMITS.dropRows }]);
    }
  }
}
