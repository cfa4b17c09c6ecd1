import {
  type Logger,
  ProtocolError,
  RpcCode,
  type SessionId,
  type SessionMessage,
  SessionNotFoundError,
} from "@daemon-sdk/protocol";
import type { Committer } from "../journal/index.js";
import { STORAGE_LIMITS } from "../limits/index.js";
import { BACKGROUND } from "../loop/index.js";
import { daemonStopping } from "../refusals.js";
import type { NumberedMessages, SessionRow, Store } from "../storage/index.js";
import type { StoredRoom } from "../turns/index.js";
import type { DraftDrops } from "./draft-drops.js";

/** Which messages of a conversation a copy holds; default all. */
export interface CopiedMessages {
  /** So many of the oldest are left out. */
  readonly skip?: number;
  /** The copy ends before the message of this id. */
  readonly until?: string;
}

/** Options of {@link SessionCopies}. */
export interface SessionCopiesOptions {
  readonly store: Store;
  readonly committer: Committer;
  readonly drops: DraftDrops;
  /** A copy is as large as what it is made of. */
  readonly storedRoom: StoredRoom;
  readonly logger: Logger;
}

/**
 * Sessions that begin with the messages of another one.
 *
 * A conversation may have a hundred thousand messages, so they are copied in slices, and the loop serves others between two of
 * them. Until the last slice is stored the new session is a draft, which nobody sees. A draft that a stopped daemon leaves is
 * dropped by the next one.
 */
export class SessionCopies {
  readonly #options: SessionCopiesOptions;
  readonly #making = new Set<SessionId>();
  #isStopping = false;

  constructor(options: SessionCopiesOptions) {
    this.#options = options;
  }

  /** Whether a copy under that id is being made. */
  isMaking(id: SessionId): boolean {
    return this.#making.has(id);
  }

  /**
   * Makes a session with messages of another one, as that is now. Rejects with what failed, or with `DAEMON_STOPPING`, and then
   * there is no new session. Rejects with `SessionNotFoundError` when the other one is deleted meanwhile.
   */
  async make(row: SessionRow, from: SessionId, wanted: CopiedMessages = {}): Promise<void> {
    const { committer, store, drops } = this.#options;
    if (this.#making.has(row.id)) throw unusable();
    this.#making.add(row.id);
    try {
      const newest = await committer.between(() => this.#begin(from));
      await committer.commit([{ kind: "draft", row }]);
      await this.#copy(row, from, newest, wanted);
      if ((await store.readSession(from)) === undefined) throw new SessionNotFoundError(from);
      if (this.#isStopping) throw daemonStopping();
      await committer.commit([{ kind: "session", row }]);
    } catch (error) {
      if (!this.#isStopping) await drops.drop(row.id).catch(() => {});
      throw error;
    } finally {
      this.#making.delete(row.id);
    }
  }

  /** Drops what an earlier daemon did not finish: copies, and sessions that it was deleting. Never rejects. */
  async dropLeft(): Promise<void> {
    const { store, drops, logger } = this.#options;
    try {
      for (const id of await store.drafts()) {
        if (!this.#making.has(id)) await drops.drop(id);
      }
    } catch (error) {
      logger.warn(
        { error: String(error) },
        "a session that was cut off could not be dropped; the next start tries again",
      );
    }
  }

  /** Ends the copies that run, behind their present slice. */
  stop(): void {
    this.#isStopping = true;
  }

  /** The last message there is, and the newest ones as they are: only these change while they are copied. */
  async #begin(from: SessionId): Promise<{ lastNo: number; messages: ReadonlyMap<string, SessionMessage> }> {
    const { store } = this.#options;
    const { messages } = await store.readMessages(from, { limit: STORAGE_LIMITS.copyMessages });
    const lastNo = await store.newestMessage(from);
    return { lastNo, messages: new Map(messages.map((message) => [message.id, message])) };
  }

  async #copy(
    to: SessionRow,
    from: SessionId,
    newest: { lastNo: number; messages: ReadonlyMap<string, SessionMessage> },
    { skip = 0, until }: CopiedMessages,
  ): Promise<void> {
    let left = skip;
    for (let run = await this.#read(from, 0); run.messages.length > 0; run = await this.#read(from, run.lastNo)) {
      const end = until === undefined ? -1 : run.messages.findIndex(({ message }) => message.id === until);
      const wanted = run.messages.slice(left, end === -1 ? undefined : end).filter(({ no }) => no <= newest.lastNo);
      left = Math.max(0, left - run.messages.length);
      const writes = wanted.map(({ message }) => {
        const then = newest.messages.get(message.id) ?? message;
        return { kind: "message", sessionId: to.id, message: then } as const;
      });
      if (writes.length > 0) await this.#options.committer.commit(writes);
      if (this.#isStopping) throw daemonStopping();
      this.#options.storedRoom.check(from, to.owner);
      if (end !== -1 || run.lastNo >= newest.lastNo) return;
      await BACKGROUND.next();
    }
  }

  #read(from: SessionId, after: number): Promise<NumberedMessages> {
    const { copyMessages: limit, copyBytes: maxBytes } = STORAGE_LIMITS;
    return this.#options.store.readMessageRun(from, { after, limit, maxBytes });
  }
}

/** The refusal of a session that an agent made under an id that is taken, or is none. */
export function unusable(): ProtocolError {
  return new ProtocolError("INVALID_RESULT", "The agent named the new session in a way that cannot be used.", {
    rpcCode: RpcCode.internalError,
  });
}
