import type { SessionUpdate, StopReason } from "@agentclientprotocol/sdk";
import {
  type EnvelopeMeta,
  type InboundNotification,
  type InboundRequest,
  type InitializeSessionParams,
  isRecord,
  type LoadSessionParams,
  type LoadSessionResult,
  type Logger,
  METHODS,
  newId,
  type Position,
  type ProtocolEngine,
  ProtocolError,
  type ResumeSessionResult,
  RpcFault,
  type SessionMessage,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { DaemonLink } from "./daemon-link.js";
import type { EditorPeer, Served } from "./editor-peer.js";
import { EntryCredit } from "./entry-credit.js";
import type { promptOf } from "./mapping/index.js";
import { AcpCode, SessionChoices, SessionUpdates, type TurnEnd } from "./mapping/index.js";
import { olderMessages } from "./older-messages.js";
import { OpenPrompts } from "./open-prompts.js";
import { OpenQuestions } from "./open-questions.js";
import { TurnHistory } from "./turn-history.js";

/** What an editor shows, as its `initialize` says. */
export interface EditorOffers {
  readonly notices: boolean;
  readonly compaction: boolean;
  readonly booleans: boolean;
  readonly forms: boolean;
}

/** Options of {@link FaceSession}. */
export interface FaceSessionOptions {
  readonly id: string;
  readonly link: DaemonLink;
  readonly peer: EditorPeer;
  readonly offers: EditorOffers;
  readonly ownTurnsOnly: boolean;
  readonly logger: Logger;
  /** As of {@link SessionChoices}. */
  agents(): { readonly names: readonly string[]; readonly next: string | undefined };
}

/** Params of {@link FaceSession.create} and {@link FaceSession.load} that the daemon gets as they are. */
type Opening = Pick<InitializeSessionParams, "mcpServers">;

/** The value that a session call carries where the connection has proven itself (docs/protocol.md §6). */
const TOKEN = "local";

/**
 * One session as an editor has it: entries of the journal become updates in their order, each once, whatever links come and go.
 *
 * Early copies of entries are left out: they come again at their place, and an editor that does not read cannot act on them.
 */
export class FaceSession {
  readonly id: string;

  readonly #options: FaceSessionOptions;
  readonly #link: DaemonLink;
  readonly #peer: EditorPeer;
  readonly #logger: Logger;
  readonly #prompts = new OpenPrompts();
  readonly #questions: OpenQuestions;
  readonly #credit: EntryCredit;
  readonly #choices: SessionChoices;
  #updates: SessionUpdates;
  /** The last entry that was taken; undefined before the session is attached. */
  #position: Position | undefined;
  /** What waits until an answer was sent that must come first. */
  #held: (() => void)[] | undefined;
  #isClosed = false;
  /** Resolve when the editor reads again. */
  #blocked: (() => void)[] = [];

  constructor(options: FaceSessionOptions) {
    const { id, link, peer, offers, agents, logger } = options;
    this.id = id;
    this.#options = options;
    this.#link = link;
    this.#peer = peer;
    this.#logger = logger;
    this.#credit = new EntryCredit((credit) => link.notify("grant_credit", { sessionId: id, ...credit }));
    this.#choices = new SessionChoices({ hasBooleans: offers.booleans, agents });
    this.#questions = new OpenQuestions({
      ...{ sessionId: id, peer, hasForms: offers.forms, logger },
      respond: (requestId, result) => link.respond(requestId, result),
      say: (text) => this.#send({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } }),
    });
    this.#updates = this.#makeUpdates();
  }

  /** Whether the editor waits for the end of a turn. */
  get isWaiting(): boolean {
    return this.#prompts.ids.length > 0;
  }

  /** Makes the session. The answer comes before anything of it. */
  async create(params: Pick<InitializeSessionParams, "cwd" | "agent" | "machineId"> & Opening): Promise<Served> {
    this.#held = [];
    const opening = { ...params, token: TOKEN, sessionId: this.id, inbox: true, credit: this.#credit.attaching() };
    const { settings, availableModels } = await this.#link.request(METHODS.initializeSession, opening, (result) => {
      this.#attached(result.position);
    });
    this.#choices.reset(settings, availableModels);
    return { result: { sessionId: this.id, ...this.#choices.answer() }, after: () => this.#release() };
  }

  /** Attaches to a session that exists. With `history`, what was said comes before the answer; the turn under way, too. */
  async load({ history, ...params }: { readonly history: boolean } & Opening): Promise<Served> {
    this.#held = [];
    this.#isClosed = false;
    this.#updates = this.#makeUpdates();
    const snapshot = await this.#attach({ ...params, loadAllMessages: history, ...(!history && { messageLimit: 0 }) });
    if (history) await this.#tellHistory(snapshot);
    this.#choices.reset(snapshot.settings, snapshot.availableModels);
    const { title } = snapshot.session;
    if (title !== undefined) this.#send({ sessionUpdate: "session_info_update", title });
    const after = () => {
      this.#askPending(snapshot);
      this.#release();
    };
    return { result: this.#choices.answer(), after };
  }

  /** Sends a prompt; resolves at the end of its turn. An abort interrupts the turn. */
  async prompt(
    content: ReturnType<typeof promptOf>,
    signal: AbortSignal,
  ): Promise<{ readonly stopReason: StopReason }> {
    if (this.#isClosed) throw notOpen(this.id);
    const messageId = newId();
    const ended = this.#prompts.add(messageId);
    // The call below may reject first; its own error is the answer then.
    ended.catch(() => {});
    signal.addEventListener("abort", () => void this.#interrupt(messageId), { once: true });
    try {
      await this.#link.request(METHODS.addUserMessage, { sessionId: this.id, messageId, ...content });
    } catch (error) {
      this.#prompts.drop(messageId);
      throw error;
    }
    return await ended;
  }

  /** Interrupts the prompts of this editor, those that wait first; without any, the turn that the editor is shown. */
  async cancel(): Promise<void> {
    const own = this.#prompts.ids.reverse();
    const { turnId, isHidden } = this.#updates;
    const shown = turnId === undefined || isHidden ? [] : [turnId];
    await Promise.all((own.length > 0 ? own : shown).map((messageId) => this.#interrupt(messageId)));
  }

  /** Chooses a value of an option. Resolves to all options. */
  setOption(id: string, value: unknown): Promise<object> {
    return this.#set(this.#choices.settingsFor(id, value));
  }

  setMode(modeId: string): Promise<object> {
    return this.#set(this.#choices.settingsForMode(modeId));
  }

  /** The answer that lists all options, after the agent of the next session has changed. */
  options(): object {
    const { configOptions } = this.#choices.answer();
    return { configOptions };
  }

  /** Sends the options where they are others than the editor has. */
  tellOptions(): void {
    for (const update of this.#choices.updates()) this.#send(update);
  }

  /** Detaches. The session and its turn go on; what the editor waits for ends as cancelled. */
  async leave(): Promise<void> {
    this.#isClosed = true;
    this.#position = undefined;
    this.#questions.retain(new Set());
    this.#prompts.clear();
    await this.#link.request(METHODS.detachSession, { sessionId: this.id });
  }

  onNotification({ params, meta, frame }: InboundNotification): void {
    const { notification } = params;
    if (!isRecord(notification) || typeof notification.type !== "string" || !this.#moves(meta)) return;
    this.#whenFree(() => this.#deliver(notification as SessionNotification, frame));
  }

  onRequest({ id, method, params, meta }: InboundRequest): void {
    if (!this.#moves(meta) || meta?.resolved === true) return;
    this.#whenFree(() => this.#ask(id, method, params));
  }

  /** The editor reads again. */
  onWritable(): void {
    for (const goOn of this.#blocked.splice(0)) goOn();
    if (this.#position !== undefined) this.#credit.grantUsed();
  }

  /** There is another link: the entries after the last one that was taken are sent on it. */
  async relinked(engine: ProtocolEngine): Promise<void> {
    if (this.#position === undefined) return;
    const resume = { sessionId: this.id, after: this.#position, credit: this.#credit.attaching() };
    try {
      const state = await engine.request(METHODS.resumeSession, resume, { onResult: () => this.#credit.attached() });
      this.#whenFree(() => this.#askPending(state));
    } catch (error) {
      this.#logger.info({ session: this.id, error: String(error) }, "a session could not be resumed; it is loaded");
      await this.#loadAgain();
    }
  }

  async #set(settings: Record<string, unknown>): Promise<object> {
    await this.#link.request(METHODS.updateSessionSettings, { sessionId: this.id, ...settings });
    this.#choices.merge(settings);
    return this.options();
  }

  async #interrupt(messageId: string): Promise<void> {
    this.#prompts.cancel(messageId);
    try {
      await this.#link.request(METHODS.interruptSession, { sessionId: this.id, messageId });
    } catch (error) {
      this.#logger.warn({ session: this.id, error: String(error) }, "a turn could not be interrupted");
    }
  }

  #attach(params: Partial<LoadSessionParams>): Promise<LoadSessionResult> {
    const load = { ...params, sessionId: this.id, token: TOKEN, inbox: true, credit: this.#credit.attaching() };
    return this.#link.request(METHODS.loadSession, load, ({ position }) => this.#attached(position));
  }

  #attached(position: Position | undefined): void {
    this.#credit.attached();
    this.#position = position ?? { epoch: 0, seq: 0 };
  }

  async #tellHistory({ session: { messages }, isAgentLoopInProgress, position }: LoadSessionResult): Promise<void> {
    const isRunning = isAgentLoopInProgress === true && position !== undefined;
    const turns = new TurnHistory(this.#link, this.id);
    const running = isRunning ? await turns.running(messages, position) : undefined;
    for await (const message of olderMessages(this.#link, this.id, messages[0]?.id)) {
      if (this.#peer.isBlocked) await new Promise<void>((resolve) => this.#blocked.push(resolve));
      this.#tell(message);
    }
    for (const message of messages.slice(0, running?.from)) this.#tell(message);
    for (const update of this.#updates.historyEnded()) this.#send(update);
    for (const notification of running?.notifications ?? []) {
      for (const update of this.#updates.replay(notification)) this.#send(update);
    }
  }

  #tell(message: SessionMessage): void {
    for (const update of this.#updates.history(message)) this.#send(update);
  }

  /** The entries after the last one are not kept any more: the session goes on without them, and prompts that ended meanwhile end. */
  async #loadAgain(): Promise<void> {
    try {
      const snapshot = await this.#attach({ messageLimit: 0 });
      this.#tellGap(snapshot.isAgentLoopInProgress === true);
      this.#choices.merge({ ...snapshot.settings });
      this.tellOptions();
      this.#askPending(snapshot);
      const messageIds = this.#prompts.ids;
      if (messageIds.length === 0) return;
      const { receipts } = await this.#link.request(METHODS.getReceipts, { sessionId: this.id, messageIds });
      this.#prompts.endedBy(receipts);
    } catch (error) {
      this.#logger.warn({ session: this.id, error: String(error) }, "a session is gone");
      if (ProtocolError.is(error) || RpcFault.is(error)) this.#closed();
    }
  }

  /** A turn that goes on keeps what the editor has of it; of one that ended meanwhile, no tool is left open. */
  #tellGap(isRunning: boolean): void {
    const description = "They are not kept any more. Load the session to get the conversation.";
    const notice = { severity: "warning" as const, title: "Some updates of this session are missing", description };
    if (this.#options.offers.notices) this.#send({ sessionUpdate: "notice", ...notice });
    if (isRunning) return;
    for (const update of this.#updates.historyEnded()) this.#send(update);
    this.#updates = this.#makeUpdates();
  }

  #askPending({ pendingPermissions = [], pendingAskUserRequests = [] }: Partial<ResumeSessionResult>): void {
    const ids = [...pendingPermissions, ...pendingAskUserRequests].map(({ requestId }) => requestId);
    this.#questions.retain(new Set(ids));
    for (const one of pendingPermissions) this.#ask(one.requestId, METHODS.requestPermission.name, { ...one });
    for (const one of pendingAskUserRequests) this.#ask(one.requestId, METHODS.askUser.name, { ...one });
  }

  #ask(id: string, method: string, params: Record<string, unknown>): void {
    if (!this.#updates.isHidden) this.#questions.ask({ id, method, params });
  }

  /** False for an entry that came before, and for an early copy. */
  #moves(meta: EnvelopeMeta | undefined): boolean {
    if (this.#position === undefined || meta?.early === true) return false;
    if (meta?.seq === undefined || meta.epoch === undefined) return true;
    if (meta.seq <= this.#position.seq && meta.epoch <= this.#position.epoch) return false;
    this.#position = { epoch: meta.epoch, seq: meta.seq };
    return true;
  }

  #deliver(notification: SessionNotification, frame: string): void {
    for (const update of this.#updates.read(notification)) this.#send(update);
    this.#credit.used(notification, frame);
    if (!this.#peer.isBlocked) this.#credit.grantUsed();
    switch (notification.type) {
      case "agent_turn_completed":
        this.#turnEnded(notification as unknown as TurnEnd);
        break;
      case "permission_resolved":
      case "ask_user_resolved":
        this.#questions.resolved(notification.requestId);
        break;
      case "session_closed":
        this.#closed();
        break;
      case "session_unsubscribed":
        void this.#loadAgain();
        break;
      default:
    }
  }

  /** The answer to the prompt is sent before anything of the next turn. */
  #turnEnded(end: TurnEnd): void {
    if (this.#prompts.isOwn(end.turnId) && this.#held === undefined) {
      this.#held = [];
      setImmediate(() => this.#release());
    }
    this.#prompts.ended(end);
  }

  #closed(): void {
    this.#isClosed = true;
    this.#position = undefined;
    this.#questions.retain(new Set());
    this.#prompts.clear();
  }

  #whenFree(work: () => void): void {
    if (this.#held === undefined) work();
    else this.#held.push(work);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const work of held) this.#whenFree(work);
  }

  #send(update: SessionUpdate): void {
    this.#peer.notify("session/update", { sessionId: this.id, update });
  }

  #makeUpdates(): SessionUpdates {
    const { offers, ownTurnsOnly } = this.#options;
    return new SessionUpdates({
      choices: this.#choices,
      notices: offers.notices,
      compaction: offers.compaction,
      ownTurnsOnly,
      isOwn: (messageId) => this.#prompts.isOwn(messageId),
    });
  }
}

/** A session that is not open on this connection. */
export function notOpen(sessionId: string): RpcFault {
  const message = `Session ${JSON.stringify(sessionId)} is not open. Open it with session/load or session/resume.`;
  return new RpcFault(AcpCode.notFound, message, { sessionId });
}
