import type { Logger, SessionId } from "@daemon-sdk/protocol";
import type { AgentConversations } from "../agents/index.js";
import type { Committer } from "../journal/index.js";
import { sessionNotIdle } from "../refusals.js";
import type { SessionRow, StoreWrite } from "../storage/index.js";
import type { DraftDrops } from "./draft-drops.js";
import type { Session } from "./session.js";
import type { SessionRules } from "./session-rules.js";

/** Options of {@link SessionDeletions}. */
export interface SessionDeletionsOptions {
  readonly committer: Committer;
  readonly drops: DraftDrops;
  readonly rules: SessionRules;
  readonly conversations: AgentConversations;
  readonly logger: Logger;
  /** What is stored with a deletion, so that copies of the session elsewhere are erased. */
  readonly erasureOf: (id: SessionId) => readonly StoreWrite[];
  /** Closes an open session for all clients. */
  close(session: Session): Promise<void>;
  /** Work that the daemon's end waits for. */
  track(work: Promise<unknown>): void;
}

/**
 * Deletes sessions with everything that the daemon has of them, and the conversations that their agents keep.
 *
 * One transaction hides a session from every read; its rows are dropped afterwards, in slices. An agent's conversation is deleted
 * once the agent has ended. An agent that cannot do that keeps the conversation.
 */
export class SessionDeletions {
  readonly #options: SessionDeletionsOptions;
  readonly #hiding = new Map<SessionId, Promise<void>>();

  constructor(options: SessionDeletionsOptions) {
    this.#options = options;
  }

  /** The deletion of that session that has begun, and that reads still miss; undefined when there is none. */
  of(id: SessionId): Promise<void> | undefined {
    return this.#hiding.get(id);
  }

  /**
   * Resolves when no read finds the session any more. Rejects with `SESSION_STATE` while a turn runs or waits, unless by force.
   *
   * @param session the session when it is open
   */
  delete(row: SessionRow, session: Session | undefined, force: boolean): Promise<void> {
    if (session?.turns.isBusy === true && !force) return Promise.reject(sessionNotIdle(row.id));
    const hiding = this.#delete(row, session).finally(() => this.#hiding.delete(row.id));
    this.#hiding.set(row.id, hiding);
    return hiding;
  }

  async #delete(row: SessionRow, session: Session | undefined): Promise<void> {
    const { committer, drops, close, track, logger, erasureOf } = this.#options;
    if (session !== undefined) await close(session);
    await committer.commit([{ kind: "deleteSession", sessionId: row.id }, ...erasureOf(row.id)]);
    logger.info({ session: row.id }, "a session was deleted");
    track(
      drops.drop(row.id).catch((error: unknown) => {
        logger.warn({ session: row.id, error: String(error) }, "a deleted session is dropped at the next start");
      }),
    );
    track(this.#forget(row, session));
  }

  /** Has the session's agent delete the conversation that it keeps. */
  async #forget(row: SessionRow, session: Session | undefined): Promise<void> {
    const { rules, conversations, logger } = this.#options;
    if (row.agentSessionId === undefined) return;
    try {
      // It may write the conversation as it ends.
      await session?.agent.stop();
      await conversations.delete(await rules.startable(row), row.agentSessionId);
    } catch (error) {
      logger.warn({ session: row.id, error: String(error) }, "the agent keeps the conversation of a deleted session");
    }
  }
}
