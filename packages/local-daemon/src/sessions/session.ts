import type { DaemonError, EnvelopeMeta, SessionError, SessionId, SessionNotification } from "@daemon-sdk/protocol";
import {
  type AgentEvents,
  type AgentExit,
  type AgentFault,
  type AgentReady,
  type AgentRequest,
  type AgentServices,
  AgentSlot,
  type OfferedModels,
} from "../agents/index.js";
import {
  boundedTitle,
  changedSettings,
  conversationChange,
  damagedNotice,
  envLostNotice,
  errorNotice,
  forgottenNotices,
  isReportable,
  oversizedFault,
  releasedNotice,
  titleFrom,
  undurableNotice,
} from "../conversation/index.js";
import type { Inbox } from "../inbox/index.js";
import { type CommitWatch, type RecentBudget, SessionLog } from "../journal/index.js";
import type { SessionLimits } from "../limits/index.js";
import { sessionAtWork } from "../refusals.js";
import type { MessageSearch } from "../search/index.js";
import type { SessionRow, Store, StoreWrite } from "../storage/index.js";
import { type QueueRoom, type StoredRoom, type TurnObserver, TurnQueue } from "../turns/index.js";
import { isLasting, isOfAgent, withRequestId } from "./agent-notifications.js";
import { AttachedClients } from "./attached-clients.js";
import { noteUsage, type SessionMemory, usageOfTurn } from "./carried-session.js";
import { FaultNotices } from "./fault-notices.js";
import { expectUnfrozen, SessionDeparture } from "./session-departure.js";
import type { SessionRules } from "./session-rules.js";

/** Services that all sessions share. */
export interface SessionServices extends AgentServices {
  readonly store: Store;
  /** Calls that wait for entries of a session. */
  readonly watch: CommitWatch;
  /** What cursors that lag read from memory. */
  readonly recent: RecentBudget;
  /** Of the positions of sessions that are opened from now on. It grows when a session arrives from a machine whose own is larger. */
  epoch: number;
  readonly inbox: Inbox;
  readonly search: MessageSearch;
  readonly limits: SessionLimits;
  readonly rules: SessionRules;
  readonly models: OfferedModels;
  /** What waits in the queues of all sessions. */
  readonly room: QueueRoom;
  /** What all sessions have stored. */
  readonly storedRoom: StoredRoom;
  /** Is notified of the steps of all turns. */
  readonly observer: TurnObserver;
  /** What is stored with the end of a session on this machine, so that copies of it elsewhere are erased. */
  readonly erasureOf: (id: SessionId) => readonly StoreWrite[];
}

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
  #hasConversation: boolean;
  readonly #faults = new FaultNotices();
  /** Why the last commit failed that did. */
  #storeError: DaemonError | undefined;

  constructor(options: SessionOptions) {
    const { services, row } = options;
    this.id = row.id;
    this.#row = row;
    this.#services = services;
    this.#hasConversation = options.hasConversation;
    this.lastUsedAt = services.now();
    this.agentActiveAt = this.lastUsedAt;
    this.log = this.#makeLog(options.lastSeq);
    this.agent = this.#makeSlot();
    this.turns = this.#makeTurns(options.lastOrdinal);
    this.departure = new SessionDeparture(this, (changed) => {
      this.#row = changed;
    });
    this.attached = new AttachedClients({
      inbox: services.inbox,
      logger: services.logger,
      log: this.log,
      starter: () => this.turns.active?.starter,
      onAttached: () => this.#onAttached(),
    });
  }

  get row(): SessionRow {
    return this.#row;
  }

  /** Whether no turn runs or is queued, and no client is attached. */
  get isUnused(): boolean {
    return !this.turns.isBusy && this.attached.count === 0;
  }

  /** Since when its agent has nothing to do; undefined while it has, or is to stay. */
  get #idleSince(): number | undefined {
    const isAtWork = this.turns.isBusy || this.log.state.isBusy || this.log.state.pendingRequests > 0;
    return isAtWork || this.keepsAgent ? undefined : Math.max(this.lastUsedAt, this.agentActiveAt);
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

  /** Whether later output of the agent is of no consequence. */
  get #isOver(): boolean {
    return this.log.isRetired || this.#row.leaving !== undefined;
  }

  /** Whether clients may know of what an agent of the session does. */
  get #isObserved(): boolean {
    return this.log.isPublished && !this.#isOver;
  }

  #makeLog(lastSeq: number): SessionLog {
    // Not all services: a copy of them for each part of each session would be most of what an idle session takes.
    const { store, committer, limits, watch, recent, now, logger } = this.#services;
    return new SessionLog({
      ...{ store, committer, limits, watch, recent, now, logger },
      epoch: this.#row.leaving?.epoch ?? this.#services.epoch,
      sessionId: this.id,
      lastSeq,
      owner: this.#row.owner,
      onBacklog: (isOver) => this.agent.hold(isOver),
      onOversized: (entry) => this.#onFault(oversizedFault(this.#row.agent, entry)),
      onUndurable: (error) => this.#notifyUndurable(error),
      turnFirstSeq: () => this.turns.active?.firstSeq,
    });
  }

  #makeTurns(lastOrdinal: number): TurnQueue {
    const { store, room, storedRoom, observer, limits, now, logger } = this.#services;
    return new TurnQueue({
      ...{ store, room, storedRoom, observer, limits, now, logger },
      log: this.log,
      agent: this.agent,
      owner: this.#row.owner,
      agentName: this.#row.agent,
      lastOrdinal,
      isShut: this.#row.closedAt !== undefined,
      onAccepted: (text) => this.#onAccepted(text),
      onEnding: () => this.#onEnding(),
      usage: () => usageOfTurn(this.memory, this.turns.active?.row.id, this.#row.tokenUsage),
    });
  }

  #makeSlot(): AgentSlot {
    const { spawner, committer, live, metrics, instanceId, now, logger, limits } = this.#services;
    return new AgentSlot({
      ...{ spawner, committer, live, metrics, instanceId, now, logger, limits },
      sessionId: this.id,
      spec: async () => {
        expectUnfrozen(this.#row);
        return this.#services.rules.startable(this.#row);
      },
      describeStart: () => this.#services.rules.allowedStart(this.#row, this.#hasConversation),
      owner: this.#row.owner,
      idleSince: () => this.#idleSince,
      onWaiting: (error) => this.#onAgentWaiting(error),
      onStart: (state) => this.#onAgentStart(state),
      onReleased: () => this.notify(releasedNotice(this.#services.now())),
      onReady: (ready) => this.#onReady(ready),
      events: () => this.#agentEvents(),
      onExit: (exit) => this.#onExit(exit),
    });
  }

  /** Made for each agent: an idle session has none. */
  #agentEvents(): Omit<AgentEvents, "onExit"> {
    return {
      onNotification: (notification, meta, json) => this.#onNotification(notification, meta, json),
      onRequest: (request) => this.#onRequest(request),
      onFault: (fault) => this.#onFault(fault),
      onConversation: (agentSessionId) => {
        if (!this.#isOver) this.patch({ agentSessionId });
      },
      onTurnStarted: () => this.turns.started(),
      onTurnEnded: (end) => this.turns.ended(end),
    };
  }

  #onAttached(): void {
    if (this.#row.leaving !== undefined) return;
    // Who attaches now may have missed the first notice.
    if (this.log.isUndurable && this.#storeError !== undefined) this.#notifyUndurable(this.#storeError);
    if (this.#row.damagedAt === undefined) return;
    this.patch({ damagedAt: undefined });
    this.notify(damagedNotice(this.#services.now()));
  }

  #notifyUndurable(error: DaemonError): void {
    this.#storeError = error;
    this.notify(undurableNotice(error, this.#services.now()));
  }

  #onAccepted(text: string): void {
    this.lastUsedAt = this.#services.now();
    if (this.turns.active === undefined) this.agentActiveAt = this.lastUsedAt;
    this.#hasConversation = true;
    const title = this.#row.title ?? titleFrom(text);
    this.patch({ updatedAt: this.lastUsedAt, ...(title === undefined ? {} : { title }) });
  }

  #onEnding(): void {
    const { inbox, live, now } = this.#services;
    this.lastUsedAt = now();
    inbox.closeAll(this.id);
    // After the end: the agent is idle then, unless another turn waits.
    setImmediate(() => live.recheck());
  }

  #onAgentStart(state: string): void {
    if (this.#isObserved) this.notify({ type: "agent_state_changed", state });
  }

  /** Nobody knows of a session that is being made. */
  #onAgentWaiting(error: SessionError): void {
    if (this.#isObserved) this.notify(errorNotice(error, this.#services.now()));
  }

  #onReady(ready: AgentReady): void {
    this.availableModels = isReportable(ready.availableModels) ? ready.availableModels : undefined;
    this.#services.models.remember(this.#row.agent, this.availableModels);
    const changed = changedSettings(this.#row.settings, ready.settings);
    if (changed !== undefined && this.log.isPublished) this.notify({ type: "settings_updated", settings: changed });
    const settings = { ...this.#row.settings, ...ready.settings };
    this.patch({ agentSessionId: ready.agentSessionId, ...(isReportable(settings) ? { settings } : {}) });
    const missing = this.#services.rules.missingEnv(this.#row);
    if (missing.length > 0) this.notify(envLostNotice(missing, this.#services.now()));
    if (ready.hasForgotten !== true) return;
    // The new conversation counts its tokens from the beginning.
    this.patch({ tokenUsage: undefined });
    for (const notification of forgottenNotices(this.#services.now())) this.notify(notification);
  }

  #onNotification(notification: SessionNotification, meta: EnvelopeMeta | undefined, json?: string): void {
    if (this.#isOver) return;
    this.agentActiveAt = this.#services.now();
    if (!isOfAgent(notification)) return;
    if (!isLasting(notification) && this.#isOverQuota()) return;
    switch (notification.type) {
      case "permission_resolved":
        this.#services.inbox.closeByAgent(this.id, notification.requestId);
        return;
      case "droid_working_state_changed":
        // The agent may send it early (docs/wire/agent-stdio.md#oddities), and the end of a turn contains it anyway.
        if (notification.newState === "idle" && (!this.log.state.isBusy || this.turns.active !== undefined)) return;
        break;
      case "session_token_usage_changed":
        noteUsage(this.memory, this.turns.active?.row.id, this.#row.tokenUsage);
        break;
      case "session_title_updated":
        this.#onTitle(boundedTitle(notification), meta);
        return;
      default:
        break;
    }
    const named = withRequestId(notification, this.turns.active?.row.requestId);
    this.notify(named, meta, named === notification ? json : undefined);
  }

  /** Whether its principal has far more than it may. Interrupts the turn once. */
  #isOverQuota(): boolean {
    const message = this.#services.storedRoom.overrun(this.#row.owner);
    if (message === undefined) return false;
    if (this.#onFault({ code: "QUOTA_EXCEEDED", message, isLoss: true })) void this.turns.interruptRunning(message);
    return true;
  }

  #onTitle(notification: SessionNotification, meta: EnvelopeMeta | undefined): void {
    // The agent repeats the user's choice.
    if (notification.title !== this.memory.statedTitle) this.notify(notification, meta);
  }

  #onRequest(request: AgentRequest): void {
    if (this.#isOver) return;
    const turnId = this.turns.active?.row.id;
    const place = { log: this.log, addressees: this.attached, owner: this.#row.owner, turnId };
    const refusal = this.#services.inbox.add(request, place);
    if (refusal !== undefined) {
      this.#onFault({ code: "QUEUE_FULL", message: `${refusal} Nobody was asked.`, isLoss: false });
    }
  }

  #onFault(fault: AgentFault): boolean {
    if (this.#isOver) return false;
    if (fault.isLoss) this.turns.lost(fault);
    const isNew = this.#faults.isNew(fault, this.turns.active?.row.id);
    if (isNew) this.notify(errorNotice(fault, this.#services.now()));
    return isNew;
  }

  #onExit({ exitCode, signal, expected }: AgentExit): void {
    if (this.#isOver) return;
    this.#services.inbox.closeAll(this.id);
    if (!expected) this.#services.logger.warn({ session: this.id, exitCode, signal }, "an agent ended by itself");
    if (this.log.state.isBusy && this.turns.active === undefined) {
      this.notify({ type: "droid_working_state_changed", newState: "idle" });
    }
  }
}
