import {
  DaemonError,
  type InitializeSessionParams,
  newId,
  type SessionError,
  type SessionId,
  SessionNotFoundError,
  sessionId,
} from "@daemon-sdk/protocol";
import { PERSON, type Principal } from "../access/index.js";
import { type AgentCatalog, AgentConversations, LiveAgents, OfferedModels } from "../agents/index.js";
import { CommitWatch, RecentBudget } from "../journal/index.js";
import { badParams, daemonStopping } from "../refusals.js";
import type { SessionRow } from "../storage/index.js";
import { type Drained, drainTurns, QueueRoom, StoredRoom } from "../turns/index.js";
import { DirectoryCalls } from "../working-directory/index.js";
import { DraftDrops } from "./draft-drops.js";
import { MovingSessions } from "./moving-sessions.js";
import { newSessionRow } from "./new-session-row.js";
import { OpenSessions } from "./open-sessions.js";
import { Session } from "./session.js";
import { type CopiedMessages, SessionCopies, unusable } from "./session-copies.js";
import { SessionDeletions } from "./session-deletions.js";
import { expectUnfrozen } from "./session-departure.js";
import { type Admitted, SessionRules, type SessionRulesOptions } from "./session-rules.js";
import type { SessionServices } from "./session-services.js";
import { SessionTasks } from "./session-tasks.js";
import { StoredSessions } from "./stored-sessions.js";
import { type TurnStore, turnStore } from "./turn-store.js";
import { UnusedSessions } from "./unused-sessions.js";

/** Options of {@link SessionHost}. */
export interface SessionHostOptions
  extends Omit<SessionServices, "live" | "models" | "recent" | "room" | "rules" | "storedRoom" | "watch">,
    SessionRulesOptions {}

/** Valid ids of clients. An id becomes part of file names and of an agent's environment. */
const CHOSEN_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The session of an `initialize_session`. */
export interface Initialized {
  readonly session: Session;
  /**
   * False when a session of that id existed, which is the answer then
   * (docs/wire/session.md#start-of-a-session).
   */
  readonly isNew: boolean;
}

/**
 * All sessions of a daemon: makes them, opens stored ones on request, and releases those that are unused. A session in the
 * store that is not open costs nothing.
 */
export class SessionHost {
  readonly services: SessionServices;
  readonly agents: AgentCatalog;
  readonly rules: SessionRules;
  readonly copies: SessionCopies;
  /** What is asked about the directories of sessions. */
  readonly directories = new DirectoryCalls();
  /** Sessions that come from other machines, or go there. */
  readonly moving: MovingSessions;
  readonly #drops: DraftDrops;
  readonly #deletions: SessionDeletions;
  readonly #stored: StoredSessions;
  readonly #open: OpenSessions;
  readonly #unused: UnusedSessions;
  readonly #tasks: SessionTasks = new SessionTasks((id) => this.#deletions.of(id));
  /** Last positions of journals that continued in memory while the store was full. They are not used again. */
  readonly #lastSeqs = new Map<SessionId, number>();
  #isStopping = false;

  constructor(options: SessionHostOptions) {
    this.rules = new SessionRules(options);
    const { policies } = this.rules;
    const room = new QueueRoom(options.limits, policies);
    const storedRoom = new StoredRoom({ ...options, policies, storedBytes: options.store.storedBytes });
    const own = { live: new LiveAgents(options), models: new OfferedModels(), room, storedRoom };
    const ofJournals = { watch: new CommitWatch(), recent: new RecentBudget() };
    this.services = { ...options, rules: this.rules, ...own, ...ofJournals };
    this.agents = options.agents;
    this.#drops = new DraftDrops(this.services);
    this.copies = new SessionCopies({ ...this.services, drops: this.#drops });
    this.#deletions = new SessionDeletions({
      ...this.services,
      drops: this.#drops,
      conversations: new AgentConversations(this.services),
      close: (session) => this.close(session, "deleted"),
      track: (work) => this.#tasks.track(work),
    });
    this.#stored = new StoredSessions({
      ...{ store: options.store, limits: options.limits, policies },
      delete: (row) => this.deleteUnused(row),
    });
    this.moving = new MovingSessions({
      ...{ services: this.services, drops: this.#drops, tasks: this.#tasks, stored: this.#stored },
      find: (id) => this.find(id),
      openStored: (id) => this.#openStored(id),
      release: (session) => {
        this.#release(session);
        this.#lastSeqs.delete(session.id);
      },
    });
    this.#unused = new UnusedSessions({
      ...this.services,
      open: () => this.open,
      track: (work) => this.#tasks.track(work),
      release: (session) => this.#release(session),
    });
    this.#open = new OpenSessions(options.limits, policies);
  }

  /** Sessions that are open. */
  get open(): readonly Session[] {
    return this.#open.values();
  }

  /** Reads nothing more of the agents of a principal until `oncePaid` calls back, which may be at once. */
  holdAgents(owner: string | undefined, oncePaid: (release: () => void) => void): void {
    let isPaid = false;
    const held: Session[] = [];
    oncePaid(() => {
      isPaid = true;
      for (const session of held) session.agent.hold(false);
    });
    if (isPaid) return;
    held.push(...this.open.filter(({ row }) => row.owner === owner));
    for (const session of held) session.agent.hold(true);
  }

  /** The session when it is open. */
  find(id: string): Session | undefined {
    return this.#open.get(sessionId(id));
  }

  /**
   * Makes a session and starts its agent. A second call with the same id gets the same session of any owner: check the owner.
   *
   * @param principal owner of the session; default the person
   */
  async initialize(params: InitializeSessionParams, { keyId }: Principal = PERSON): Promise<Initialized> {
    if (this.#isStopping) throw daemonStopping();
    const id = sessionId(params.sessionId ?? newId());
    if (!CHOSEN_ID.test(id)) throw badParams("sessionId must be a UUID, or up to 128 letters, digits and . _ : -");
    const allowed = await this.rules.admit(params, keyId);
    const known = await this.#known(id);
    if (known !== undefined) return { session: known, isNew: false };
    // Before an agent is started for it.
    this.#open.check({ id, owner: keyId });
    this.services.storedRoom.check(id, keyId);
    const making = this.#tasks.open(id, () => this.#make(id, allowed, keyId));
    return { session: await making, isNew: true };
  }

  /** The session of that id, opened from the store when it is not open. Rejects with `SessionNotFoundError`. */
  async load(id: string): Promise<Session> {
    const session = await this.#known(sessionId(id));
    if (session === undefined) throw await this.absence(id);
    session.lastUsedAt = this.services.now();
    return session;
  }

  /** As {@link load}, and reopens a closed session. */
  async reopen(id: string): Promise<Session> {
    let session = await this.load(id);
    // A close may have begun meanwhile.
    while (this.#open.get(session.id) !== session || this.#tasks.isClosing(session.id)) session = await this.load(id);
    session.reopen();
    return session;
  }

  /** The stored row, without opening the session. Rejects with `SessionNotFoundError`. */
  async rowOf(id: string): Promise<SessionRow> {
    const row = this.find(id)?.row ?? (await this.services.store.readSession(sessionId(id)));
    if (row === undefined) throw await this.absence(id);
    return row;
  }

  /** Why there is no session of that id: {@link MovingSessions.absence}. */
  absence(id: string, isReached?: (row: Pick<SessionRow, "owner">) => boolean): Promise<SessionError> {
    return this.moving.absence(id, isReached);
  }

  /** What is known of the turns of a session, and not only what could be stored. */
  turnStore(id: string): TurnStore {
    return turnStore(this.services.store, this.find(id));
  }

  /** Changes the row of an open or stored session. */
  async patch(id: string, patch: Partial<Omit<SessionRow, "id">>): Promise<void> {
    const session = this.find(id);
    if (session === undefined) {
      const stored = await this.rowOf(id);
      expectUnfrozen(stored);
      const row = { ...stored, ...patch };
      return this.services.committer.commit([{ kind: "session", row }]);
    }
    session.patch(patch);
    return session.log.commit();
  }

  /** Stores a session that an agent made out of another one (fork, compact, rewind), with messages of that one. */
  async adopt(row: SessionRow, source: SessionId, messages?: CopiedMessages): Promise<void> {
    if (this.#isStopping) throw daemonStopping();
    this.services.storedRoom.check(source, row.owner);
    if (!CHOSEN_ID.test(row.id) || (await this.#known(row.id)) !== undefined) throw unusable();
    if (!SessionNotFoundError.is(await this.absence(row.id))) throw unusable();
    if (!this.copies.isMaking(row.id)) await this.#drops.free(row.id);
    await this.#stored.makeRoom(row.id, row.owner);
    const making = this.copies.make(row, source, messages);
    this.#tasks.track(making);
    await making;
  }

  /**
   * Deletes a session with everything that the daemon has of it, and its agent's conversation where the agent can. Rejects with
   * `SessionNotFoundError`, and with `SESSION_STATE` while a turn runs or waits, unless by force, which ends the turn.
   */
  async delete(id: string, { force = false }: { force?: boolean } = {}): Promise<void> {
    await this.#delete(id, force, () => true);
  }

  /**
   * As {@link delete}, for a session that nobody uses. Resolves to false when somebody does, or has used, archived or deleted it since
   * `seen` was read.
   */
  async deleteUnused(seen: SessionRow): Promise<boolean> {
    try {
      return await this.#delete(seen.id, false, ({ updatedAt, archivedAt, leaving }, session) => {
        if (leaving !== undefined) return false;
        const isUnused = session === undefined || (session.isUnused && !session.keepsAgent);
        return isUnused && updatedAt === seen.updatedAt && archivedAt === seen.archivedAt;
      });
    } catch (error) {
      if (SessionNotFoundError.is(error)) return false;
      throw error;
    }
  }

  /** Resolves when nothing of the deleted sessions is left, and the disk has their room back. */
  dropped(): Promise<void> {
    return this.#drops.idle();
  }

  /** Deletes a session if `isToGo` still says so when nothing of it changes any more. */
  async #delete(
    id: string,
    force: boolean,
    isToGo: (row: SessionRow, session: Session | undefined) => boolean,
  ): Promise<boolean> {
    if (this.#isStopping) throw daemonStopping();
    await this.#tasks.settled(sessionId(id));
    const row = await this.rowOf(id);
    // A load, or another deletion, may have begun meanwhile.
    if (this.#tasks.of(row.id) !== undefined) return this.#delete(id, force, isToGo);
    const session = this.find(id);
    if (!isToGo(row, session)) return false;
    expectUnfrozen(row);
    await this.#deletions.delete(row, session, force);
    this.rules.environments.delete(row.id);
    this.#lastSeqs.delete(row.id);
    this.services.watch.wake(row.id);
    return true;
  }

  /**
   * Ends a session for all clients: turns, requests, agent. The session stays in the store and can be loaded again.
   *
   * @param reason why, for clients that are attached; default: a client wanted it closed
   */
  close(session: Session, reason?: "deleted"): Promise<void> {
    return this.#tasks.close(session.id, () => this.#close(session, reason));
  }

  async #close(session: Session, reason: "deleted" | undefined): Promise<void> {
    // A message that is being accepted ends, too. Later ones are refused until the session is reopened.
    session.patch({ closedAt: this.services.now() });
    do {
      await session.turns.shut("The session was closed.");
      await session.log.settled();
    } while (session.turns.isBusy && !session.log.isRetired);
    this.rules.environments.delete(session.id);
    const why = reason === undefined ? {} : { reason };
    session.notify({ type: "session_closed", timestamp: this.services.now(), ...why });
    await session.log.settled();
    this.#release(session);
  }

  /** Releases unused sessions and stops their agents. Called every `sweepMs`. */
  sweep(): void {
    this.#unused.sweep();
  }

  /** Refuses new sessions and messages, and sends no more prompts. */
  shut(): void {
    this.#isStopping = true;
    for (const { turns } of this.open) turns.drain();
  }

  /** Refuses new sessions and messages, and ends the running turns by {@link drainTurns}. */
  drain(drainMs: number, cut?: AbortSignal, why?: string): Promise<Drained> {
    const queues = this.open.map(({ turns }) => turns);
    this.shut();
    return drainTurns(queues, drainMs, cut, why);
  }

  /** Stops every agent, also those that start, and stores their last output. No agent starts afterwards. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.copies.stop();
    this.#drops.stop();
    await this.services.live.close();
    await this.#tasks.ended();
    for (const session of this.open) session.log.retry();
    await this.services.committer.drain();
    for (const session of this.open) {
      session.retire();
      this.#open.remove(session);
    }
  }

  /** The open session, or the stored one opened. */
  async #known(id: SessionId): Promise<Session | undefined> {
    // The caller gets the session as it is afterwards.
    await this.#tasks.settled(id);
    return this.#open.get(id) ?? (await this.#tasks.open(id, () => this.#openStored(id)));
  }

  async #openStored(id: SessionId): Promise<Session | undefined> {
    const { store } = this.services;
    const row = await store.readSession(id);
    if (row === undefined) return undefined;
    const [bounds, lastOrdinal] = await Promise.all([store.journalBounds(id), store.lastTurnOrdinal(id)]);
    const lastSeq = Math.max(bounds.lastSeq, this.#lastSeqs.get(id) ?? 0);
    const hasConversation = lastOrdinal > 0 || (await store.countMessages(id)) > 0;
    const session = new Session({ services: this.services, row, lastSeq, lastOrdinal, hasConversation });
    session.log.publish();
    this.#admit(session);
    return session;
  }

  async #make(id: SessionId, params: Admitted, owner: string | undefined): Promise<Session> {
    if (this.copies.isMaking(id)) throw unusable();
    const absence = await this.absence(id);
    // Another machine has the session of that id.
    if (!SessionNotFoundError.is(absence)) throw absence;
    await this.#drops.free(id);
    await this.#stored.makeRoom(id, owner);
    const row = newSessionRow(id, params, owner, this.services.now());
    const options = { services: this.services, row, lastSeq: 0, lastOrdinal: 0 };
    const session = new Session({ ...options, hasConversation: false });
    if (params.env !== undefined) this.rules.environments.set({ sessionId: id, variables: params.env, owner });
    session.inactivityTimeoutMs = params.inactivityTimeoutMs;
    session.keepsAgent = params.disableInactivityTimeout === true;
    try {
      await startedOrWaiting(session);
      session.log.publish();
      // An agent that is ready has changed the row; one that waits has not, and the session must be found all the same.
      session.patch({});
      await session.log.commit();
    } catch (error) {
      this.rules.environments.delete(id);
      session.retire();
      this.#tasks.track(session.agent.stop());
      throw error;
    }
    this.#admit(session);
    return session;
  }

  #admit(session: Session): void {
    try {
      this.#open.add(session);
    } catch (error) {
      session.retire();
      this.#tasks.track(session.agent.stop());
      throw error;
    }
    if (this.#isStopping) session.turns.drain();
  }

  #release(session: Session): void {
    this.#open.remove(session);
    if (session.log.hasHole) this.#lastSeqs.set(session.id, session.log.lastSeq);
    session.retire();
    this.#tasks.track(session.agent.stop());
  }
}

/** A session whose agent has to wait for its start exists without it, and its first message waits. */
async function startedOrWaiting({ agent }: Session): Promise<void> {
  try {
    await agent.readyInTime();
  } catch (error) {
    if (!DaemonError.is(error, "AGENTS_BUSY")) throw error;
  }
}
