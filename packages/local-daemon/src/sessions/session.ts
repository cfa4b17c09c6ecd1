import type { EnvelopeMeta, SessionId, SessionNotification } from "@daemon-sdk/protocol";
import { type AgentReady, AgentSlot } from "../agents/index.js";
import { conversationChange } from "../conversation/index.js";
import { SessionLog } from "../journal/index.js";
import { sessionAtWork } from "../refusals.js";
import type { SessionRow } from "../storage/index.js";
import { TurnQueue } from "../turns/index.js";
import { AttachedClients } from "./attached-clients.js";
import type { SessionMemory } from "./carried-session.js";
import { expectUnfrozen, SessionDeparture } from "./session-departure.js";
import { SessionEvents } from "./session-events.js";
import type { SessionServices } from "./session-services.js";

/** Options of {@link Session}. */
export interface SessionOptions {
  readonly services: SessionServices;
  readonly row: SessionRow;
  /** Position of the last entry of its journal, pruned or not. */
  readonly lastSeq: number;
  readonly lastOrdinal: number;
  /** Whether its agent ever received a message. */
  readonly hasConversation: boolean;
}

/**
 * One open session: its row, turns, agent and attached clients.
 *
 * Every event is an entry of its log, which attached clients receive once it is stored. When the store is full, the running
 * turn continues for attached clients, and an entry of the journal reports it.
 */
export class Session {
  readonly id: SessionId;
  readonly log: SessionLog;
  readonly turns: TurnQueue;
  readonly agent: AgentSlot;
  readonly attached: AttachedClients;
  /** Its way to another machine. */
  readonly departure: SessionDeparture;
  /** Whether the session stays open without use. */
  keepsAgent = false;
  /** How long it may stay unused; undefined for the daemon's default. */
  inactivityTimeoutMs: number | undefined;
  /** Models that the agent offers; undefined until the agent has started under this daemon. */
  availableModels: AgentReady["availableModels"];
  /** Wall clock of the last output of its agent, or of the last message to it. */
  agentActiveAt: number;
  /** Wall clock of the last use by a client, and of the last end of a turn. */
  lastUsedAt: number;

  /** What is nowhere else: it is passed on when the daemon is replaced. */
  readonly memory: SessionMemory = { usage: undefined, statedTitle: undefined };
  readonly #services: SessionServices;
  #row: SessionRow;

  constructor(options: SessionOptions) {
    const { services, row } = options;
    this.id = row.id;
    this.#row = row;
    this.#services = services;
    this.lastUsedAt = services.now();
    this.agentActiveAt = this.lastUsedAt;
    const { lastSeq, lastOrdinal } = options;
    const { id: sessionId, owner, agent: agentName } = row;
    // Services, and what a part reports, by one object each: copies of them, or functions, for each part of each session would be
    // most of what an idle session takes. Literals for the same reason: an object that is spread gets a shape of its own.
    const session = new SessionEvents(this, services, options.hasConversation);
    const epoch = row.leaving?.epoch ?? services.epoch;
    const isShut = row.closedAt !== undefined;
    const log = new SessionLog({ services, session, sessionId, owner, epoch, lastSeq });
    const agent = new AgentSlot({ services, session, sessionId, owner });
    this.log = log;
    this.agent = agent;
    this.turns = new TurnQueue({ services, session, log, agent, owner, agentName, lastOrdinal, isShut });
    this.departure = new SessionDeparture(this, (changed) => {
      this.#row = changed;
    });
    this.attached = new AttachedClients({ services, session, log });
  }

  get row(): SessionRow {
    return this.#row;
  }

  /** Whether no turn runs or is queued, and no client is attached. */
  get isUnused(): boolean {
    return !this.turns.isBusy && this.attached.count === 0;
  }

  /** Changes the session's row, which is stored with the entries of the same tick. Throws `SESSION_MOVING` while the session is frozen. */
  patch(patch: Partial<Omit<SessionRow, "id">>): void {
    expectUnfrozen(this.#row);
    this.#row = { ...this.#row, ...patch };
    this.log.save({ kind: "session", row: this.#row });
  }

  /**
   * Appends a notification to the log, and makes its changes of the conversation and of the session's row: those of what is
   * stored, and none where nothing is. Throws `SESSION_MOVING` while the session is frozen.
   */
  notify(notification: SessionNotification, meta?: EnvelopeMeta, json?: string): void {
    expectUnfrozen(this.#row);
    const stored = this.log.append(notification, meta, json);
    if (stored === undefined) return;
    const { write, patch } = conversationChange(this.#row, stored, this.#services.now());
    if (write !== undefined) this.log.save(write);
    if (patch !== undefined) this.patch(patch);
    if (write?.kind === "message") this.turns.answered(write.message);
    if (stored.type === "session_title_updated") this.memory.statedTitle = stored.title;
  }

  /**
   * Works in another directory from now on. An idle agent ends, because a process cannot change its directory; the next one starts
   * in the new directory. Rejects with `SESSION_STATE` while a turn runs or waits.
   */
  async move(cwd: string): Promise<void> {
    if (cwd === this.#row.cwd) return;
    if (this.turns.isBusy) throw sessionAtWork(this.id);
    this.notify({ type: "session_working_directory_changed", cwd });
    await this.agent.stop();
  }

  /** Accepts messages again after a close. */
  reopen(): void {
    if (this.#row.closedAt === undefined || this.#row.leaving !== undefined) return;
    this.patch({ closedAt: undefined });
    this.turns.reopen();
  }

  /** Ignores all later output of the agent: the session was closed, and may be open again as another object. */
  retire(): void {
    this.log.retire();
    this.attached.detachAll();
  }
}
