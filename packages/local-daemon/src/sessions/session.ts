import {
  type EnvelopeMeta,
  isRecord,
  type McpServerConfig,
  type SessionId,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import {
  type Agent,
  type AgentExit,
  type AgentReady,
  type AgentRequest,
  type AgentServices,
  AgentSlot,
  type AgentSpec,
  type AgentStart,
} from "../agents/index.js";
import {
  agentSettings,
  conversationChange,
  forgottenNotice,
  titleFrom,
  undurableNotice,
} from "../conversation/index.js";
import type { Inbox } from "../inbox/index.js";
import { type SessionClient, SessionLog } from "../journal/index.js";
import type { SessionLimits } from "../limits/index.js";
import type { MessageSearch } from "../search/index.js";
import type { SessionRow, Store, StoreWrite } from "../storage/index.js";
import { answeredRow, TurnQueue } from "../turns/index.js";
import { Subscribers } from "./subscribers.js";

/** What all sessions share. */
export interface SessionServices extends AgentServices {
  readonly store: Store;
  readonly epoch: number;
  readonly inbox: Inbox;
  readonly search: MessageSearch;
  readonly limits: SessionLimits;
}

/** Options of {@link Session}. */
export interface SessionOptions {
  readonly services: SessionServices;
  /** How its agent is started. Throws when the configuration no longer has it. */
  spec(): AgentSpec;
  readonly row: SessionRow;
  /** Position of the last entry its journal ever had. */
  readonly lastSeq: number;
  readonly lastOrdinal: number;
  /** Whether its agent was ever given something to remember. */
  readonly hasConversation: boolean;
  readonly mcpServers?: readonly McpServerConfig[] | undefined;
}

/**
 * One open session: what is known of it, its turns, its agent, and who follows it.
 *
 * Everything that happens goes into its log; those who follow see it when it is stored. When the store is full the running
 * turn goes on for those who follow, and the journal says so.
 */
export class Session {
  readonly id: SessionId;
  readonly log: SessionLog;
  readonly turns: TurnQueue;
  readonly agent: AgentSlot;
  readonly subscribers: Subscribers;
  /** Stays until it is closed, however long nobody uses it. */
  keepsAgent = false;
  /** How long it may stay unused; undefined for the daemon's default. */
  inactivityTimeoutMs: number | undefined;
  /** MCP servers for the next agent; kept in memory only, because they may hold secrets. */
  mcpServers: readonly McpServerConfig[] | undefined;
  /** What the agent said it can use, as long as it was asked in this daemon's life. */
  availableModels: AgentReady["availableModels"];
  /** Wall clock of the last sign of life of its agent, or of the last message to it. */
  heardAt: number;
  /** Wall clock of the last thing somebody did. */
  lastUsedAt: number;

  readonly #services: SessionServices;
  #row: SessionRow;
  #workingState = "idle";
  /** The last title that those who follow were told. */
  #toldTitle: unknown;
  #hasConversation: boolean;

  constructor(options: SessionOptions) {
    const { services, row } = options;
    this.id = row.id;
    this.#row = row;
    this.#services = services;
    this.#hasConversation = options.hasConversation;
    this.mcpServers = options.mcpServers;
    this.lastUsedAt = services.now();
    this.heardAt = this.lastUsedAt;
    this.log = this.#makeLog(options.lastSeq);
    const { inbox, logger } = services;
    this.subscribers = new Subscribers({ source: this.log, inbox, turns: () => this.turns, logger });
    const isShut = row.closedAt !== undefined;
    this.turns = new TurnQueue({ ...services, owner: this, lastOrdinal: options.lastOrdinal, isShut });
    this.agent = this.#makeSlot(() => options.spec());
  }

  get row(): SessionRow {
    return this.#row;
  }

  get workingState(): string {
    return this.#workingState;
  }

  get isIdle(): boolean {
    return this.#workingState === "idle";
  }

  get lastSeq(): number {
    return this.log.lastSeq;
  }

  /** Nothing runs, nothing waits, nobody follows. */
  get isUnused(): boolean {
    return !this.turns.isBusy && this.subscribers.count === 0;
  }

  /** Changes the session's row; stored with what happens in the same tick. */
  patch(patch: Partial<Omit<SessionRow, "id">>): void {
    this.#row = { ...this.#row, ...patch };
    this.log.save({ kind: "session", row: this.#row });
  }

  /** Tells everybody who follows, and the conversation table. */
  notify(notification: SessionNotification, meta?: EnvelopeMeta): void {
    const { write, patch } = conversationChange(this.#row, notification, this.#services.now());
    if (write !== undefined) this.log.save(write);
    if (patch !== undefined) this.patch(patch);
    this.#noteAnswer(write);
    if (notification.type === "droid_working_state_changed") this.#setWorkingState(String(notification.newState));
    if (notification.type === "session_title_updated") this.#toldTitle = notification.title;
    this.log.append(notification, meta);
  }

  /** With the message itself, so that a receipt finds the answer whatever happens then. */
  #noteAnswer(write: StoreWrite | undefined): void {
    const { active } = this.turns;
    const row = answeredRow(active, write);
    if (active === undefined || row === undefined) return;
    active.row = row;
    this.save({ kind: "turn", row });
  }

  appendRequest(id: string, method: string, params: Record<string, unknown>): string {
    return this.log.appendRequest(id, method, params);
  }

  save(write: StoreWrite): void {
    this.log.save(write);
  }

  /** Stores rows, and what happened before them; rejects when that could not be done. */
  commit(writes: readonly StoreWrite[] = []): Promise<void> {
    return this.log.commit(writes);
  }

  wasOnlyAsked(client: SessionClient, requestId: string): boolean {
    return this.subscribers.wasOnlyAsked(client, requestId);
  }

  settled(): Promise<void> {
    return this.log.settled();
  }

  readyAgent(): Promise<Agent> {
    return this.agent.ready();
  }

  stopAgent(): Promise<void> {
    return this.agent.stop();
  }

  onAccepted(text: string): void {
    this.lastUsedAt = this.#services.now();
    if (this.turns.active === undefined) this.heardAt = this.lastUsedAt;
    this.#hasConversation = true;
    const title = this.#row.title ?? titleFrom(text);
    this.patch({ updatedAt: this.lastUsedAt, ...(title === undefined ? {} : { title }) });
  }

  onEnding(): void {
    this.lastUsedAt = this.#services.now();
    this.#services.inbox.closeAll(this.id);
  }

  /** Takes messages again, if it was closed. */
  reopen(): void {
    if (this.#row.closedAt === undefined) return;
    this.patch({ closedAt: undefined });
    this.turns.reopen();
  }

  /** Forgets everything that comes later: the session was closed, and may be open again as another object. */
  retire(): void {
    this.log.retire();
    for (const client of this.subscribers.clients) this.subscribers.detach(client);
  }

  #makeLog(lastSeq: number): SessionLog {
    return new SessionLog({
      ...this.#services,
      sessionId: this.id,
      lastSeq,
      onCommitted: (firstSeq, frames) => this.subscribers.deliver(firstSeq, frames),
      onBacklog: (isOver) => this.agent.setPaused(isOver),
      onUndurable: (error) => this.notify(undurableNotice(error, this.#services.now())),
      turnFirstSeq: () => this.turns.active?.firstSeq,
    });
  }

  #makeSlot(spec: () => AgentSpec): AgentSlot {
    return new AgentSlot({
      ...this.#services,
      sessionId: this.id,
      spec,
      describeStart: () => this.#describeStart(),
      onReady: (ready) => this.#onReady(ready),
      onForgotten: () => this.notify(forgottenNotice(this.#services.now())),
      events: {
        onNotification: (notification, meta) => this.#onNotification(notification, meta),
        onRequest: (request) => this.#onRequest(request),
        onTurnStarted: () => this.turns.started(),
        onTurnEnded: (end) => this.turns.ended(end),
        onExit: (exit) => this.#onExit(exit),
      },
    });
  }

  #setWorkingState(state: string): void {
    this.#workingState = state;
    const { active } = this.turns;
    if (active !== undefined && state !== "idle") active.wasBusy = true;
  }

  #describeStart(): AgentStart {
    const { agentSessionId, cwd, settings } = this.#row;
    return {
      sessionId: this.id,
      cwd,
      settings: agentSettings(settings),
      // An agent need not keep a conversation in which nothing was said.
      ...(agentSessionId === undefined || !this.#hasConversation ? {} : { resume: agentSessionId }),
      ...(this.mcpServers === undefined ? {} : { mcpServers: this.mcpServers }),
    };
  }

  #onReady(ready: AgentReady): void {
    this.availableModels = ready.availableModels;
    this.patch({ agentSessionId: ready.agentSessionId, settings: { ...this.#row.settings, ...ready.settings } });
  }

  #onNotification(notification: SessionNotification, meta: EnvelopeMeta | undefined): void {
    if (this.log.isRetired) return;
    this.heardAt = this.#services.now();
    switch (notification.type) {
      // The daemon's own words: no credit holds them back, and clients act on them.
      case "agent_turn_completed":
      case "ask_user_resolved":
      case "session_closed":
      case "session_unsubscribed":
      case "tool_execution_heartbeat":
        return;
      case "permission_resolved":
        this.#services.inbox.closeByAgent(this.id, notification.requestId);
        return;
      case "droid_working_state_changed":
        // It may come early (docs/wire/agent-stdio.md#oddities), and the end of a turn says it anyway.
        if (notification.newState === "idle" && (this.isIdle || this.turns.active !== undefined)) return;
        break;
      case "session_title_updated":
        // The agent repeats what a person has just chosen.
        if (notification.title === this.#toldTitle) return;
        break;
      default:
        break;
    }
    this.notify(this.#withRequestId(notification), meta);
  }

  /**
   * The agent knows the prompt under an id of its own; the client that sent it waits for its own
   * (docs/wire/session.md#acknowledgements).
   */
  #withRequestId(notification: SessionNotification): SessionNotification {
    const { active } = this.turns;
    if (notification.type !== "create_message" || notification.requestId === undefined || active === undefined) {
      return notification;
    }
    const isPrompt = isRecord(notification.message) && notification.message.role === "user";
    return isPrompt ? { ...notification, requestId: active.row.requestId } : notification;
  }

  #onRequest(request: AgentRequest): void {
    if (!this.log.isRetired) this.#services.inbox.add(this, request, this.turns.active?.row.id);
  }

  #onExit({ exitCode, signal, expected }: AgentExit): void {
    if (this.log.isRetired) return;
    this.#services.inbox.closeAll(this.id);
    if (!expected) this.#services.logger.warn({ session: this.id, exitCode, signal }, "an agent ended by itself");
    if (!this.isIdle && this.turns.active === undefined) {
      this.notify({ type: "droid_working_state_changed", newState: "idle" });
    }
  }
}
