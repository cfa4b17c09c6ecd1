import {
  type SessionError,
  type SessionId,
  SessionMovedError,
  SessionNotFoundError,
  sessionId,
} from "@daemon-sdk/protocol";
import { failpoint } from "../failpoint.js";
import { sessionMoving } from "../refusals.js";
import type { MovedMark, SessionRow } from "../storage/index.js";
import type { DraftDrops } from "./draft-drops.js";
import type { Session } from "./session.js";
import type { SessionServices } from "./session-services.js";
import type { SessionTasks } from "./session-tasks.js";
import type { StoredSessions } from "./stored-sessions.js";

/** Options of {@link MovingSessions}. */
export interface MovingSessionsOptions {
  readonly services: SessionServices;
  readonly drops: DraftDrops;
  readonly tasks: SessionTasks;
  readonly stored: StoredSessions;
  /** The session when it is open. */
  find(id: SessionId): Session | undefined;
  openStored(id: SessionId): Promise<Session | undefined>;
  release(session: Session): void;
}

/** Sessions of a host that come from other machines, or go there. */
export class MovingSessions {
  readonly #options: MovingSessionsOptions;

  constructor(options: MovingSessionsOptions) {
    this.#options = options;
  }

  /** Why there is no session of that id: it was moved to another machine, it is on its way from one, or it is not there. */
  async absence(
    id: string,
    isReached: (row: Pick<SessionRow, "owner">) => boolean = () => true,
  ): Promise<SessionError> {
    const moving = await this.#options.services.store.readMoving(sessionId(id));
    if (moving?.state === "moved" && isReached(moving.mark)) return new SessionMovedError(id, moving.mark.to);
    if (moving?.state === "arriving" && isReached(moving.row)) return sessionMoving(moving.row.id, "this one");
    return new SessionNotFoundError(id);
  }

  /**
   * Throws `QUOTA_EXCEEDED` when a session of that owner may not come to this machine, with so many bytes. Checked before anything of it is
   * copied: a session that is served has its room, and grows within the bounds of all others.
   */
  async checkRoom(id: SessionId, owner: string | undefined, bytes: number): Promise<void> {
    const { services, stored } = this.#options;
    services.storedRoom.check(id, owner, bytes);
    await stored.checkRoom(id, owner);
  }

  /** Makes room for a session as for a new one of its owner: the oldest archived one of a key goes. Throws `SESSION_STATE` when there is none. */
  makeRoom(id: SessionId, owner: string | undefined): Promise<void> {
    return this.#options.stored.makeRoom(id, owner);
  }

  /**
   * Serves a session that arrived from another machine, under an epoch that is larger than that machine's. Its queued messages run.
   *
   * @param epoch that of the other machine
   */
  arrive(row: SessionRow, epoch: number): Promise<Session | undefined> {
    const { services, tasks, openStored } = this.#options;
    return tasks.open(row.id, async () => {
      failpoint("move-arriving");
      const raised = { kind: "raiseEpoch", epoch: epoch + 1 } as const;
      await services.committer.commit([{ kind: "session", row }, raised]);
      failpoint("move-arrived");
      services.epoch = Math.max(services.epoch, epoch + 1);
      const session = await openStored(row.id);
      session?.turns.restore(await services.store.openTurns(row.id));
      session?.turns.release();
      return session;
    });
  }

  /** Gives up a frozen session that another machine has: what is left here is a mark that names the machine. */
  forget(row: SessionRow, mark: MovedMark): Promise<void> {
    const { services, drops, tasks, find, release } = this.#options;
    return tasks.close(row.id, async () => {
      failpoint("move-forgetting");
      await services.committer.commit([{ kind: "moved", mark }, ...services.erasureOf(row.id)]);
      failpoint("move-forgotten");
      const session = find(row.id);
      session?.departure.notifyMoved(mark.to, services.now());
      if (session !== undefined) release(session);
      services.rules.environments.delete(row.id);
      services.watch.wake(row.id);
      // What is left is dropped by the next start.
      tasks.track(drops.drop(row.id).catch(() => {}));
    });
  }

  /** Drops what has arrived of a session, or was left of a former one. Resolves when the id is free. */
  async discard(id: SessionId): Promise<void> {
    const { services, drops } = this.#options;
    const isArriving = (await services.store.readMoving(id))?.state === "arriving";
    if (isArriving) await services.committer.commit([{ kind: "deleteSession", sessionId: id }]);
    await drops.free(id);
  }
}
