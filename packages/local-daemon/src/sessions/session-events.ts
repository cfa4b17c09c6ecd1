import type { DaemonError, EnvelopeMeta, SessionError, SessionNotification } from "@daemon-sdk/protocol";
import type {
  AgentEvents,
  AgentExit,
  AgentFault,
  AgentReady,
  AgentRequest,
  AgentSlot,
  AgentSpec,
  AgentStart,
  SlotSession,
} from "../agents/index.js";
import {
  boundedTitle,
  changedSettings,
  damagedNotice,
  envLostNotice,
  errorNotice,
  forgottenNotices,
  isLasting,
  isOfAgent,
  isReportable,
  oversizedFault,
  releasedNotice,
  titleFrom,
  undurableNotice,
  withRequestId,
} from "../conversation/index.js";
import type { LogSession, OversizedEntry, SessionLog } from "../journal/index.js";
import type { SessionRow } from "../storage/index.js";
import type { TurnQueue, TurnSession } from "../turns/index.js";
import type { AttachedClients, AttachedSession } from "./attached-clients.js";
import { noteUsage, type SessionMemory, usageOfTurn } from "./carried-session.js";
import { expectUnfrozen } from "./session-departure.js";
import type { SessionServices } from "./session-services.js";

/** The session that events are of. */
export interface EventfulSession {
  readonly id: SessionRow["id"];
  readonly row: SessionRow;
  readonly log: SessionLog;
  readonly turns: TurnQueue;
  readonly agent: AgentSlot;
  readonly attached: AttachedClients;
  readonly memory: SessionMemory;
  readonly keepsAgent: boolean;
  availableModels: AgentReady["availableModels"];
  agentActiveAt: number;
  lastUsedAt: number;
  patch(patch: Partial<Omit<SessionRow, "id">>): void;
  notify(notification: SessionNotification, meta?: EnvelopeMeta, json?: string): void;
}

/** What a session does when something happens to its log, its turns, its clients or its agent, and what they ask of it. */
export class SessionEvents implements LogSession, TurnSession, SlotSession, AttachedSession {
  readonly #session: EventfulSession;
  readonly #services: SessionServices;
  #hasConversation: boolean;
  readonly #faults = new FaultNotices();
  /** Why the last commit failed that did. */
  #storeError: DaemonError | undefined;

  /** @param hasConversation whether the session's agent ever received a message */
  constructor(session: EventfulSession, services: SessionServices, hasConversation: boolean) {
    this.#session = session;
    this.#services = services;
    this.#hasConversation = hasConversation;
  }

  /** Whether later output of the agent is of no consequence. */
  get #isOver(): boolean {
    return this.#session.log.isRetired || this.#session.row.leaving !== undefined;
  }

  /** Whether clients may know of what an agent of the session does. */
  get #isObserved(): boolean {
    return this.#session.log.isPublished && !this.#isOver;
  }

  onBacklog(isOver: boolean): void {
    this.#session.agent.hold(isOver);
  }

  onOversized(entry: OversizedEntry): void {
    this.#onFault(oversizedFault(this.#session.row.agent, entry));
  }

  turnFirstSeq(): number | undefined {
    return this.#session.turns.active?.firstSeq;
  }

  usage(): ReturnType<TurnSession["usage"]> {
    const { memory, turns, row } = this.#session;
    return usageOfTurn(memory, turns.active?.row.id, row.tokenUsage);
  }

  starter(): ReturnType<AttachedSession["starter"]> {
    return this.#session.turns.active?.starter;
  }

  async spec(): Promise<AgentSpec> {
    expectUnfrozen(this.#session.row);
    return this.#services.rules.startable(this.#session.row);
  }

  describeStart(): AgentStart {
    return this.#services.rules.allowedStart(this.#session.row, this.#hasConversation);
  }

  onReleased(): void {
    this.#session.notify(releasedNotice(this.#services.now()));
  }

  /** Since when its agent has nothing to do; undefined while it has, or is to stay. */
  idleSince(): number | undefined {
    const isAtWork =
      this.#session.turns.isBusy || this.#session.log.state.isBusy || this.#session.log.state.pendingRequests > 0;
    return isAtWork || this.#session.keepsAgent
      ? undefined
      : Math.max(this.#session.lastUsedAt, this.#session.agentActiveAt);
  }

  /** Made for each agent: an idle session has none. */
  events(): Omit<AgentEvents, "onExit"> {
    const { turns } = this.#session;
    return {
      onNotification: (notification, meta, json) => this.#onNotification(notification, meta, json),
      onRequest: (request) => this.#onRequest(request),
      onFault: (fault) => this.#onFault(fault),
      onConversation: (agentSessionId) => {
        if (!this.#isOver) this.#session.patch({ agentSessionId });
      },
      onTurnStarted: () => turns.started(),
      onTurnEnded: (end) => turns.ended(end),
    };
  }

  onAttached(): void {
    if (this.#session.row.leaving !== undefined) return;
    // Who attaches now may have missed the first notice.
    if (this.#session.log.isUndurable && this.#storeError !== undefined) this.onUndurable(this.#storeError);
    if (this.#session.row.damagedAt === undefined) return;
    this.#session.patch({ damagedAt: undefined });
    this.#session.notify(damagedNotice(this.#services.now()));
  }

  onUndurable(error: DaemonError): void {
    this.#storeError = error;
    this.#session.notify(undurableNotice(error, this.#services.now()));
  }

  onAccepted(text: string): void {
    this.#session.lastUsedAt = this.#services.now();
    if (this.#session.turns.active === undefined) this.#session.agentActiveAt = this.#session.lastUsedAt;
    this.#hasConversation = true;
    const title = this.#session.row.title ?? titleFrom(text);
    this.#session.patch({ updatedAt: this.#session.lastUsedAt, ...(title === undefined ? {} : { title }) });
  }

  onEnding(): void {
    const { inbox, live, now } = this.#services;
    this.#session.lastUsedAt = now();
    inbox.closeAll(this.#session.id);
    // After the end: the agent is idle then, unless another turn waits.
    setImmediate(() => live.recheck());
  }

  onStart(state: string): void {
    if (this.#isObserved) this.#session.notify({ type: "agent_state_changed", state });
  }

  /** Nobody knows of a session that is being made. */
  onWaiting(error: SessionError): void {
    if (this.#isObserved) this.#session.notify(errorNotice(error, this.#services.now()));
  }

  onReady(ready: AgentReady): void {
    this.#session.availableModels = isReportable(ready.availableModels) ? ready.availableModels : undefined;
    this.#services.models.remember(this.#session.row.agent, this.#session.availableModels);
    const changed = changedSettings(this.#session.row.settings, ready.settings);
    if (changed !== undefined && this.#session.log.isPublished)
      this.#session.notify({ type: "settings_updated", settings: changed });
    const settings = { ...this.#session.row.settings, ...ready.settings };
    this.#session.patch({ agentSessionId: ready.agentSessionId, ...(isReportable(settings) ? { settings } : {}) });
    const missing = this.#services.rules.missingEnv(this.#session.row);
    if (missing.length > 0) this.#session.notify(envLostNotice(missing, this.#services.now()));
    if (ready.hasForgotten !== true) return;
    // The new conversation counts its tokens from the beginning.
    this.#session.patch({ tokenUsage: undefined });
    for (const notification of forgottenNotices(this.#services.now())) this.#session.notify(notification);
  }

  #onNotification(notification: SessionNotification, meta: EnvelopeMeta | undefined, json?: string): void {
    if (this.#isOver) return;
    this.#session.agentActiveAt = this.#services.now();
    if (!isOfAgent(notification)) return;
    if (!isLasting(notification) && this.#isOverQuota()) return;
    switch (notification.type) {
      case "permission_resolved":
        this.#services.inbox.closeByAgent(this.#session.id, notification.requestId);
        return;
      case "droid_working_state_changed":
        // The agent may send it early (docs/wire/agent-stdio.md#oddities), and the end of a turn contains it anyway.
        if (
          notification.newState === "idle" &&
          (!this.#session.log.state.isBusy || this.#session.turns.active !== undefined)
        )
          return;
        break;
      case "session_token_usage_changed":
        noteUsage(this.#session.memory, this.#session.turns.active?.row.id, this.#session.row.tokenUsage);
        break;
      case "session_title_updated":
        this.#onTitle(boundedTitle(notification), meta);
        return;
      default:
        break;
    }
    const named = withRequestId(notification, this.#session.turns.active?.row.requestId);
    this.#session.notify(named, meta, named === notification ? json : undefined);
  }

  /** Whether its principal has far more than it may. Interrupts the turn once. */
  #isOverQuota(): boolean {
    const message = this.#services.storedRoom.overrun(this.#session.row.owner);
    if (message === undefined) return false;
    if (this.#onFault({ code: "QUOTA_EXCEEDED", message, isLoss: true }))
      void this.#session.turns.interruptRunning(message);
    return true;
  }

  #onTitle(notification: SessionNotification, meta: EnvelopeMeta | undefined): void {
    // The agent repeats the user's choice.
    if (notification.title !== this.#session.memory.statedTitle) this.#session.notify(notification, meta);
  }

  #onRequest(request: AgentRequest): void {
    if (this.#isOver) return;
    const turnId = this.#session.turns.active?.row.id;
    const place = {
      log: this.#session.log,
      addressees: this.#session.attached,
      owner: this.#session.row.owner,
      turnId,
    };
    const refusal = this.#services.inbox.add(request, place);
    if (refusal !== undefined) {
      this.#onFault({ code: "QUEUE_FULL", message: `${refusal} Nobody was asked.`, isLoss: false });
    }
  }

  #onFault(fault: AgentFault): boolean {
    if (this.#isOver) return false;
    if (fault.isLoss) this.#session.turns.lost(fault);
    const isNew = this.#faults.isNew(fault, this.#session.turns.active?.row.id);
    if (isNew) this.#session.notify(errorNotice(fault, this.#services.now()));
    return isNew;
  }

  onExit({ exitCode, signal, expected }: AgentExit): void {
    if (this.#isOver) return;
    this.#services.inbox.closeAll(this.#session.id);
    if (!expected)
      this.#services.logger.warn({ session: this.#session.id, exitCode, signal }, "an agent ended by itself");
    if (this.#session.log.state.isBusy && this.#session.turns.active === undefined) {
      this.#session.notify({ type: "droid_working_state_changed", newState: "idle" });
    }
  }
}

/** Which kinds of faults of an agent were reported in the running turn: a flood of one kind is one notice. */
class FaultNotices {
  #turn: unknown;
  /** Made by the first fault. */
  #kinds: Set<string> | undefined;

  /** Whether this is the first fault of its kind in that turn. */
  isNew({ code, isLoss }: AgentFault, turn: unknown): boolean {
    if (this.#turn !== turn || this.#kinds === undefined) this.#kinds = new Set();
    this.#turn = turn;
    const kind = `${code} ${isLoss}`;
    if (this.#kinds.has(kind)) return false;
    this.#kinds.add(kind);
    return true;
  }
}
