import {
  type DaemonError,
  type EnvelopeMeta,
  isRecord,
  type Logger,
  type McpServerConfig,
  type SessionId,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { AgentExit, AgentReady, AgentRequest, AgentSpec, AgentStart, AgentTurnEnd } from "../agents/agent.js";
import type { FrameRun, SegmentRow, SessionRow, Store, StoreWrite } from "../storage/store.js";
import { type AgentServices, AgentSlot } from "./agent-slot.js";
import type { Batch, CommitSource } from "./committer.js";
import { conversationChange, titleFrom } from "./conversation.js";
import type { Inbox } from "./inbox.js";
import { Journal } from "./journal.js";
import { JournalKeeper } from "./journal-keeper.js";
import type { SessionLimits } from "./session-limits.js";
import { agentSettings } from "./settings.js";
import { Subscribers } from "./subscribers.js";
import { TurnQueue } from "./turn-queue.js";

/** What all sessions share. */
export interface SessionServices extends AgentServices {
  readonly store: Store;
  readonly epoch: number;
  readonly inbox: Inbox;
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

/** One call to {@link Session.commit} that waits for its transaction. */
interface Ask {
  readonly writes: readonly StoreWrite[];
  resolve(): void;
  reject(error: DaemonError): void;
}

/** What a batch holds until its transaction is through. */
interface InFlight {
  readonly segments: readonly SegmentRow[];
  readonly kept: ReadonlyMap<string, StoreWrite>;
  readonly asks: readonly Ask[];
  readonly chars: number;
}

/**
 * One open session: its journal, its turns, its agent, and who follows it.
 *
 * Everything that happens goes into the journal and the rows it changes into the same transaction; clients see it when that
 * is through. When the store is full the running turn goes on: its events reach those who follow, are not stored, and the
 * journal says so; rows that must not be lost are tried again.
 */
export class Session implements CommitSource {
  readonly id: SessionId;
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
  /** `now` of the last thing somebody did. */
  lastUsedAt: number;

  readonly #services: SessionServices;
  readonly #logger: Logger;
  readonly #journal: Journal;
  readonly #keeper: JournalKeeper;
  #row: SessionRow;
  #workingState = "idle";
  #committedSeq: number;
  #kept = new Map<string, StoreWrite>();
  #asks: Ask[] = [];
  #waiters: (() => void)[] = [];
  #inFlightChars = 0;
  #isDraft = true;
  #isPaused = false;
  #isUndurable = false;
  #hasHole = false;
  #isRetired = false;
  #hasConversation: boolean;

  constructor(options: SessionOptions) {
    const { services, row, lastSeq } = options;
    this.id = row.id;
    this.#row = row;
    this.#services = services;
    this.#logger = services.logger;
    this.#committedSeq = lastSeq;
    this.mcpServers = options.mcpServers;
    this.#hasConversation = options.hasConversation;
    this.lastUsedAt = services.now();
    this.#journal = new Journal({ sessionId: row.id, epoch: services.epoch, lastSeq });
    this.#keeper = new JournalKeeper({ ...services, sessionId: row.id });
    this.subscribers = new Subscribers({
      source: this,
      inbox: services.inbox,
      turns: () => this.turns,
      logger: this.#logger,
    });
    this.turns = new TurnQueue({ ...services, owner: this, lastOrdinal: options.lastOrdinal });
    this.agent = new AgentSlot({
      ...services,
      sessionId: row.id,
      spec: () => options.spec(),
      describeStart: () => this.#describeStart(),
      onReady: (ready) => this.#onReady(ready),
      events: {
        onNotification: (notification, meta) => this.#onNotification(notification, meta),
        onRequest: (request) => this.#onRequest(request),
        onTurnStarted: () => this.turns.started(),
        onTurnEnded: (end: AgentTurnEnd) => this.turns.ended(end),
        onExit: (exit) => this.#onExit(exit),
      },
    });
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
    return this.#journal.lastSeq;
  }

  get committedSeq(): number {
    return this.#committedSeq;
  }

  /** Nothing runs, nothing waits, nobody follows. */
  get isUnused(): boolean {
    return this.turns.active === undefined && this.turns.waiting.length === 0 && this.subscribers.count === 0;
  }

  /** True after a commit failed: the journal in the store may end before the positions that were given out. */
  get isUndurable(): boolean {
    return this.#hasHole;
  }

  /** Begins to store: until then everything waits, so a session whose agent never came up leaves nothing behind. */
  publish(): void {
    this.#isDraft = false;
    this.#enlist();
  }

  /** Changes the session's row; stored with what happens in the same tick. */
  patch(patch: Partial<Omit<SessionRow, "id">>): void {
    this.#row = { ...this.#row, ...patch };
    this.save({ kind: "session", row: this.#row });
  }

  /** Tells everybody who follows, and the conversation table. */
  notify(notification: SessionNotification, meta?: EnvelopeMeta): void {
    const { write, patch } = conversationChange(this.#row, notification, this.#services.now());
    if (write !== undefined) this.save(write);
    if (patch !== undefined) this.patch(patch);
    if (notification.type === "droid_working_state_changed") this.#setWorkingState(String(notification.newState));
    this.#journal.append(notification, meta);
    this.#pauseAgent();
    this.#enlist();
  }

  appendRequest(id: string, method: string, params: Record<string, unknown>): string {
    const frame = this.#journal.appendRequest(id, method, params);
    this.#enlist();
    return frame;
  }

  /** Stores a row with the next transaction, and again later when that fails. The last one of a key wins. */
  save(write: StoreWrite): void {
    this.#kept.set(keyOf(write), write);
    this.#enlist();
  }

  /** Stores rows; rejects when they could not be stored, and then they never will be. */
  commit(writes: readonly StoreWrite[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#asks.push({ writes, resolve, reject });
      this.#enlist();
    });
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#enlist();
    });
  }

  readFrames(fromSeq: number, maxBytes: number): Promise<FrameRun> {
    return this.#services.store.readFrames(this.id, fromSeq, maxBytes);
  }

  readyAgent(): ReturnType<AgentSlot["ready"]> {
    return this.agent.ready();
  }

  stopAgent(): Promise<void> {
    return this.agent.stop();
  }

  onAccepted(text: string): void {
    this.lastUsedAt = this.#services.now();
    this.#hasConversation = true;
    const title = this.#row.title ?? titleFrom(text);
    this.patch({ updatedAt: this.lastUsedAt, ...(title === undefined ? {} : { title }) });
  }

  onEnding(): void {
    this.lastUsedAt = this.#services.now();
    this.#services.inbox.closeAll(this.id);
  }

  takeBatch(): Batch {
    const chars = this.#journal.waitingChars;
    const segments = this.#journal.takeSegments(this.#services.now());
    const [kept, asks, waiters] = [this.#kept, this.#asks, this.#waiters];
    this.#kept = new Map();
    this.#asks = [];
    this.#waiters = [];
    this.#inFlightChars += chars;
    const frames = segments.map((row): StoreWrite => ({ kind: "segment", row }));
    // Kept rows last: what was decided while an ask waited is the newer truth.
    const writes = [...frames, ...asks.flatMap((ask) => ask.writes), ...kept.values()];
    return {
      writes,
      settle: (error) => {
        this.#settle(error, { segments, kept, asks, chars });
        for (const resolve of waiters) resolve();
      },
    };
  }

  #settle(error: DaemonError | undefined, { segments, kept, asks, chars }: InFlight): void {
    this.#inFlightChars -= chars;
    for (const { firstSeq, frames } of segments) {
      this.#committedSeq = firstSeq + frames.length - 1;
      this.subscribers.deliver(firstSeq, frames);
    }
    if (error === undefined) this.#stored(segments);
    else this.#notStored(error, kept);
    for (const ask of asks) {
      if (error === undefined) ask.resolve();
      else ask.reject(error);
    }
    this.#pauseAgent();
  }

  #stored(segments: readonly SegmentRow[]): void {
    this.#isUndurable = false;
    const prune = this.#keeper.stored(segments, this.turns.active?.firstSeq);
    void prune?.then((write) => write && this.save(write));
  }

  /** The turn goes on for those who follow; rows are put back, and the journal says that it has a hole. */
  #notStored(error: DaemonError, kept: ReadonlyMap<string, StoreWrite>): void {
    this.#kept = new Map([...kept, ...this.#kept]);
    if (this.#isUndurable) return;
    this.#isUndurable = true;
    this.#hasHole = true;
    const message = `${error.message} This session goes on; its events are not kept until that is over.`;
    this.notify({
      type: "error",
      message,
      errorType: "Error",
      timestamp: new Date(this.#services.now()).toISOString(),
    });
  }

  /** Tries rows again that could not be stored. */
  retry(): void {
    if (this.#isUndurable && this.#kept.size > 0) this.#enlist();
  }

  /** Forgets everything that comes later: the session was closed, and may be open again as another object. */
  retire(): void {
    this.#isRetired = true;
    for (const client of this.subscribers.clients) this.subscribers.detach(client);
  }

  #enlist(): void {
    if (!this.#isDraft && !this.#isRetired) this.#services.committer.enlist(this);
  }

  #pauseAgent(): void {
    const isOver = this.#journal.waitingChars + this.#inFlightChars > this.#services.limits.storeBacklogBytes;
    if (isOver === this.#isPaused) return;
    this.#isPaused = isOver;
    this.agent.setPaused(isOver);
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
    if (this.#isRetired) return;
    switch (notification.type) {
      case "agent_turn_completed":
      case "tool_execution_heartbeat":
        return;
      case "permission_resolved":
        this.#services.inbox.closeByAgent(this.id, notification.requestId);
        return;
      case "droid_working_state_changed":
        // It may come early (agent spec), and the end of a turn says it anyway.
        if (notification.newState === "idle" && (this.isIdle || this.turns.active !== undefined)) return;
        break;
      case "session_title_updated":
        if (notification.title === this.#row.title) return;
        break;
      default:
        break;
    }
    this.notify(this.#withRequestId(notification), meta);
  }

  /** The agent knows the prompt under an id of its own; the client that sent it waits for its own (session spec §1.6). */
  #withRequestId(notification: SessionNotification): SessionNotification {
    const { active } = this.turns;
    if (notification.type !== "create_message" || notification.requestId === undefined || active === undefined) {
      return notification;
    }
    const isPrompt = isRecord(notification.message) && notification.message.role === "user";
    return isPrompt ? { ...notification, requestId: active.row.requestId } : notification;
  }

  #onRequest(request: AgentRequest): void {
    if (!this.#isRetired) this.#services.inbox.add(this, request, this.turns.active?.row.id);
  }

  #onExit(exit: AgentExit): void {
    this.#isPaused = false;
    if (this.#isRetired) return;
    this.#services.inbox.closeAll(this.id);
    const { exitCode, signal, expected } = exit;
    if (!expected) this.#logger.warn({ session: this.id, exitCode, signal }, "an agent ended by itself");
    if (!this.isIdle && this.turns.active === undefined) {
      this.notify({ type: "droid_working_state_changed", newState: "idle" });
    }
  }
}

/** Rows that replace each other have one key. */
function keyOf(write: StoreWrite): string {
  switch (write.kind) {
    case "message":
      return `message ${write.message.id}`;
    case "retractMessage":
      return `message ${write.messageId}`;
    case "turn":
    case "request":
      return `${write.kind} ${write.row.id}`;
    default:
      return write.kind;
  }
}
