import {
  type AddUserMessageParams,
  type AskUserResult,
  type Clock,
  type Credit,
  type DaemonCapabilities,
  type KnownSessionNotification,
  newId,
  type RequestPermissionResult,
  type SessionMessage,
  type SessionNotification,
  type SessionSettings,
  type WorkingState,
} from "@daemon-sdk/protocol";
import {
  DEFAULT_PERMISSION_OPTIONS,
  type FakePermission,
  FakePrompt,
  type FakeQuestions,
  type FakeRequests,
  type FakeTurnEnd,
  type FakeTurnEndDetails,
  type TurnStage,
} from "../script/index.js";
import { type AttachableSession, FakeAttachedClient, type FakeCursorStart } from "./attached-client.js";
import { ChangeWatch } from "./change-watch.js";
import { FakeInbox, type Settled } from "./inbox.js";
import { type FakeEntry, FakeJournal, isUrgent } from "./journal.js";
import type { FakeLink } from "./link.js";
import { FakeReceipts } from "./receipts.js";

/** Initial state of a session of the fake daemon. */
export interface FakeSessionOptions {
  /** Default: a new UUID. */
  readonly id?: string;
  /** The key of `FakeDaemonOptions.keys` that owns the session. Default: none. */
  readonly key?: string;
  readonly cwd?: string;
  readonly title?: string;
  /** Messages of the conversation. */
  readonly messages?: readonly SessionMessage[];
  readonly settings?: Partial<SessionSettings>;
}

/** Behaviour of the daemon of a session; see `FakeDaemonOptions`. */
export interface FakeSessionHost {
  readonly capabilities: DaemonCapabilities;
  readonly completesTurns: boolean;
  readonly clock: Clock;
  /** Number of this start of the daemon. */
  readonly epoch: number;
  /** How many newest entries of a session a client may resume over. */
  readonly keep: number;
  /** Plays one turn. */
  play(prompt: FakePrompt): void | Promise<void>;
}

interface QueuedTurn {
  readonly requestId: string;
  readonly link: FakeLink;
  readonly params: AddUserMessageParams & { messageId: string };
}

/** One session of the fake daemon: its conversation, queue, journal, and attached connections. */
export class FakeSession implements TurnStage, AttachableSession {
  readonly id: string;
  readonly key: string | undefined;
  cwd: string;
  title: string | undefined;
  /** Turns that have ended, for `get_metrics`. */
  turnsEnded = 0;
  readonly messages: SessionMessage[];
  settings: SessionSettings;
  /** False after `close_session`; `load_session` opens the session again. */
  isOpen = true;
  archivedAt: string | undefined;
  /** Attached connections, in the order in which they attached. */
  readonly attached: ReadonlyMap<FakeLink, FakeAttachedClient>;
  readonly inbox: FakeInbox;
  readonly journal: FakeJournal;
  readonly receipts: FakeReceipts;
  readonly hasPositions: boolean;
  readonly changes: ChangeWatch;
  readonly #attached = new Map<FakeLink, FakeAttachedClient>();
  readonly #host: FakeSessionHost;
  readonly #bodies = new Map<string, string>();
  /** Pending requests, each with the plain connection that received it. */
  readonly #asked = new Map<string, { readonly entry: FakeEntry; plain: FakeLink | undefined }>();
  #queue: QueuedTurn[] = [];
  #turn: { prompt: FakePrompt; link: FakeLink } | undefined;
  #workingState: WorkingState = "idle";

  constructor(host: FakeSessionHost, options: FakeSessionOptions = {}) {
    this.#host = host;
    this.id = options.id ?? newId();
    this.key = options.key;
    this.cwd = options.cwd ?? ".";
    this.title = options.title;
    this.messages = [...(options.messages ?? [])];
    this.settings = { modelId: "fake-model", reasoningEffort: "none", ...options.settings };
    this.attached = this.#attached;
    this.hasPositions = host.capabilities.positions === true;
    const now = () => host.clock.now();
    this.inbox = new FakeInbox(now, (settled) => this.#tellSettled(settled));
    this.journal = new FakeJournal(host.epoch, host.keep);
    this.receipts = new FakeReceipts(now);
    this.changes = new ChangeWatch(host.clock);
  }

  get workingState(): WorkingState {
    return this.#workingState;
  }

  get isBusy(): boolean {
    return this.#turn !== undefined;
  }

  get queuedMessages(): (AddUserMessageParams & { requestId: string })[] {
    return this.#queue.map(({ requestId, params }) => ({ ...params, requestId }));
  }

  /** Attaches a connection after `afterSeq`, and replaces its earlier cursor. Entries are sent with the next one, or by `pump`. */
  attach(link: FakeLink, afterSeq: number, credit?: Credit): FakeAttachedClient {
    return this.#attach(link, { afterSeq, credit });
  }

  /**
   * Moves a connection to the end of the journal, with exactly this credit. A connection that was not attached is attached,
   * and gets early copies of urgent entries from the oldest pending request on.
   */
  attachAtEnd(link: FakeLink, credit: Credit): FakeAttachedClient {
    const attached = this.#attached.get(link);
    attached?.moveToEnd(credit);
    const oldest = [...this.#asked.values()].find(({ entry }) => !this.isResolved(entry))?.entry.position.seq;
    return attached ?? this.#attach(link, { afterSeq: this.journal.position.seq, credit, earlyFromSeq: oldest });
  }

  #attach(link: FakeLink, start: FakeCursorStart): FakeAttachedClient {
    this.#attached.delete(link);
    const attached = new FakeAttachedClient(this, link, start);
    this.#attached.set(link, attached);
    return attached;
  }

  /** Detaches a connection. The pending requests of a plain connection are sent to the next plain one. */
  detach(link: FakeLink): void {
    this.#attached.delete(link);
    this.changes.release(link);
    if (!this.#host.capabilities.inbox) return;
    for (const [requestId, asked] of this.#asked) {
      if (asked.plain !== link || !this.inbox.has(requestId)) continue;
      asked.plain = this.#plainToAsk();
      const { method, params, position } = asked.entry;
      asked.plain?.request(requestId, method, params, this.hasPositions ? position : undefined);
    }
  }

  /** Whether no other connection can answer that request. */
  isOnlyAsked(link: FakeLink, requestId: string): boolean {
    const hasOthers = [...this.#attached.keys()].some((other) => this.#isExtended(other));
    return this.#asked.get(requestId)?.plain === link && !hasOthers;
  }

  isResolved({ requestId }: FakeEntry): boolean {
    return requestId !== undefined && !this.inbox.has(requestId);
  }

  isFor({ requestId }: FakeEntry, link: FakeLink): boolean {
    return requestId === undefined || this.#isExtended(link) || this.#asked.get(requestId)?.plain === link;
  }

  /** Notifies all attached connections. A `create_message` is added to the conversation. Any type is accepted. */
  notify(notification: KnownSessionNotification | SessionNotification): void {
    if (notification.type === "agent_turn_completed") this.turnsEnded++;
    if (notification.type === "create_message") this.messages.push(notification.message as SessionMessage);
    const params = { sessionId: this.id, notification };
    const method = "session_notification";
    this.journal.append(this.#host.epoch, { method, params, isUrgent: isUrgent(notification) });
    this.#pump();
  }

  setWorkingState(state: WorkingState): void {
    if (state === this.#workingState) return;
    this.#workingState = state;
    this.notify({ type: "droid_working_state_changed", newState: state });
  }

  /**
   * Requests permission and waits for the first answer of any client. Without attached connections the request is only
   * listed in the result of `load_session`.
   */
  askPermission(permission: FakePermission): Promise<RequestPermissionResult> {
    return this.#ask("request_permission", {
      sessionId: this.id,
      options: DEFAULT_PERMISSION_OPTIONS,
      ...permission,
    });
  }

  /** Asks the user questions and waits for the first answer of any client; see {@link askPermission}. */
  askUser(questions: FakeQuestions): Promise<AskUserResult> {
    return this.#ask("ask_user", { sessionId: this.id, toolCallId: newId(), ...questions });
  }

  closeRequests(reason: string): void {
    this.inbox.cancelAll(reason);
  }

  /** Whether a message of that id was accepted before. */
  hasMessage(messageId: string): boolean {
    return this.#bodies.has(messageId);
  }

  /** Queues a prompt; {@link startNext} runs it. False when its id was used for another message. */
  submit(requestId: string, link: FakeLink, params: AddUserMessageParams & { messageId: string }): boolean {
    const { messageId } = params;
    const body = JSON.stringify([params.text, params.images, params.files, params.outputFormat]);
    const known = this.#bodies.get(messageId);
    if (known !== undefined) return known === body;
    this.#bodies.set(messageId, body);
    this.receipts.accept(messageId);
    this.#queue.push({ requestId, link, params });
    return true;
  }

  /**
   * Ends the running turn as `cancelled`, closes its pending requests with cancel, and discards the queued prompts. With
   * `messageId`, acts only if the turn of that message runs; a queued prompt of that id is discarded alone.
   */
  interrupt(messageId = this.#turn?.prompt.messageId): void {
    const isRunning = messageId === this.#turn?.prompt.messageId;
    const waiting = this.#queue.filter(({ params }) => isRunning || params.messageId === messageId);
    this.#queue = this.#queue.filter((turn) => !waiting.includes(turn));
    if (isRunning) this.endTurn("cancelled");
    for (const { params } of waiting) this.#discard(params.messageId);
  }

  /** Ends the running turn, if there is one; queued prompts follow. */
  endTurn(reason: FakeTurnEnd, details?: FakeTurnEndDetails): void {
    this.#turn?.prompt.end(reason, details);
  }

  close(except: FakeLink, reason?: "deleted"): void {
    this.interrupt();
    this.closeRequests("session_closed");
    this.isOpen = false;
    this.#attached.delete(except);
    this.notify({ type: "session_closed", timestamp: this.#host.clock.now(), ...(reason && { reason }) });
    this.#attached.clear();
  }

  /** Runs the oldest queued prompt. While a turn runs, the prompt stays queued. */
  startNext(): void {
    const next = this.#turn ? undefined : this.#queue.shift();
    if (!next) return;
    const { messageId } = next.params;
    const prompt = new FakePrompt(this, next.requestId, next.params, {
      completesTurns: this.#host.completesTurns,
      now: () => this.#host.clock.now(),
      onEnd: (reason, answer) => this.receipts.end(messageId, reason, answer),
      onIdle: () => {
        this.receipts.finish(messageId, this.journal.position.seq);
        this.changes.wake();
        this.#turn = undefined;
        this.startNext();
      },
    });
    this.#turn = { prompt, link: next.link };
    this.receipts.move(messageId, "handed");
    this.receipts.begin(messageId, this.journal.position.seq + 1);
    prompt.start();
    this.receipts.move(messageId, "running");
    void this.#play(prompt);
  }

  async #play(prompt: FakePrompt): Promise<void> {
    try {
      await this.#host.play(prompt);
      prompt.end("completed");
    } catch (error) {
      prompt.fail(error);
    }
  }

  /** Ends an accepted message whose turn will never run. */
  #discard(turnId: string): void {
    this.receipts.end(turnId, "cancelled");
    if (this.#host.completesTurns) this.notify({ type: "agent_turn_completed", reason: "cancelled", turnId });
    this.receipts.finish(turnId, this.journal.position.seq);
    this.changes.wake();
  }

  #ask<Method extends keyof FakeRequests>(method: Method, params: FakeRequests[Method]["params"]) {
    const { requestId, result } = this.inbox.ask(method, params);
    const entry = { requestId, method, params, isUrgent: true };
    const position = { epoch: this.#host.epoch, seq: this.journal.position.seq + 1 };
    this.#asked.set(requestId, { entry: { ...entry, position }, plain: this.#plainToAsk() });
    this.journal.append(this.#host.epoch, entry);
    this.#pump();
    return result;
  }

  /** The plain connection that receives a request, if any: that of the running prompt; else the latest, if all are plain. */
  #plainToAsk(): FakeLink | undefined {
    const links = [...this.#attached.keys()];
    const asker = this.#turn?.link;
    if (asker && links.includes(asker)) return this.#isExtended(asker) ? undefined : asker;
    return links.some((link) => this.#isExtended(link)) ? undefined : links.at(-1);
  }

  #isExtended(link: FakeLink): boolean {
    return this.#host.capabilities.inbox === true && link.usesExtensions;
  }

  #tellSettled(settled: Settled): void {
    const { requestId } = settled;
    if (settled.method === "request_permission") {
      const toolUseIds = settled.params.toolUses.map(({ toolUse }) => toolUse.id);
      const { selectedOption } = settled.result;
      this.notify({ type: "permission_resolved", requestId, toolUseIds, selectedOption });
    } else if (this.#host.capabilities.inbox) {
      const { toolCallId } = settled.params;
      const cancelled = settled.result.cancelled === true;
      this.notify({ type: "ask_user_resolved", requestId, toolCallId, cancelled });
    }
  }

  #pump(): void {
    this.changes.wake();
    for (const attached of [...this.#attached.values()]) attached.pump();
  }
}
