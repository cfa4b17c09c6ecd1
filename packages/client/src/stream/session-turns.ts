import {
  type AddUserMessageParams,
  CLIENT_LIMITS,
  type Clock,
  ConcurrentStreamError,
  type FollowSessionResult,
  type LoadSessionResult,
  METHODS,
  type Receipt,
  SessionError,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import { given, idleClock } from "../base/index.js";
import type { ConnectionCalls, StatusEvents } from "../connection/index.js";
import {
  type ActivityHost,
  type ActivityListener,
  type CreditLease,
  type DaemonClient,
  type ObservedFeed,
  REASON_OF_STATE,
  type SentPrompt,
  SessionActivityWatch,
  type SessionGap,
  type SessionObserver,
  TurnLedger,
  TurnReceipts,
} from "../session/index.js";
import type { SessionStream, StreamHost } from "./session-stream.js";

/** Options of {@link SessionTurns}. */
export interface SessionTurnsOptions {
  readonly client: DaemonClient;
  /** Whether the daemon offers `turns`. */
  readonly offersTurns: boolean;
  /** Both tell whether there is a link now. */
  readonly calls: ConnectionCalls;
  readonly status: StatusEvents;
  readonly onError: (error: Error) => void;
  /** Default: the computer's. */
  readonly clock: Clock | undefined;
}

/**
 * The turns of one session and the one stream that may follow them: sends prompts, hands notifications on, and ends the stream
 * when the session or its agent goes away.
 */
export class SessionTurns implements StreamHost, SessionObserver, ActivityHost {
  readonly offersTurns: boolean;
  readonly turns: TurnLedger;
  readonly clock: Clock;
  readonly feed: ObservedFeed;
  readonly #client: DaemonClient;
  readonly #calls: ConnectionCalls;
  readonly #status: StatusEvents;
  readonly #activity: SessionActivityWatch;
  readonly #receipts: TurnReceipts;
  #stream: SessionStream | undefined;
  /** Told early; a stream that runs is still to get what came before it. */
  #closed: SessionNotification | undefined;

  /** Make it before the session is made or loaded, so that nothing is missed. */
  constructor({ client, offersTurns, calls, status, clock = idleClock, onError }: SessionTurnsOptions) {
    this.#client = client;
    this.#calls = calls;
    this.#status = status;
    this.clock = clock;
    this.#activity = new SessionActivityWatch(this, onError);
    this.#receipts = new TurnReceipts((messageId, signal) => this.getReceipt(messageId, signal));
    this.offersTurns = offersTurns;
    this.turns = new TurnLedger(offersTurns);
    this.feed = client.observe(this);
  }

  get sessionId(): string {
    // A handle is only given out once the session has its id.
    return this.#client.sessionId as string;
  }

  claim(stream: SessionStream): void {
    this.#client.assertConnected();
    if (this.#stream !== undefined) throw new ConcurrentStreamError(this.sessionId);
    this.#setStream(stream);
  }

  release(stream: SessionStream): void {
    if (this.#stream === stream) this.#setStream(undefined);
    if (this.#closed !== undefined) this.#ended(this.#closed);
  }

  attach(): CreditLease | undefined {
    return this.#client.credit?.attach();
  }

  get pendingRequests(): number {
    return this.#client.pendingRequests;
  }

  get isReachable(): boolean {
    return this.#calls.isOpen && this.#client.isConnected;
  }

  get hearsEvents(): boolean {
    return this.#client.credit?.hasConsumer !== false;
  }

  /** What the session waits for. */
  get activity(): SessionActivityWatch["current"] {
    return this.#activity.current;
  }

  /** Calls back with each change of that. A consumer of events: the working state is told by them. */
  onActivity(listener: ActivityListener): () => void {
    const stops = [
      this.#client.onNotification(() => {}),
      this.#activity.listen(listener),
      this.#status.listen(() => this.#activity.refresh()),
      () => this.#setStream(this.#stream),
    ];
    this.#setStream(this.#stream);
    return () => {
      for (const stop of stops) stop();
    };
  }

  #setStream(stream: SessionStream | undefined): void {
    this.#stream = stream;
    this.feed.wantsDeltas = stream !== undefined || this.#activity.isWatched;
  }

  async getReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    const { receipts } = await this.#client.call(METHODS.getReceipts, { messageIds: [messageId] }, given({ signal }));
    return receipts[0] ?? { messageId, state: "unknown" };
  }

  /** Resolves when the message's turn is over. */
  async waitForReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    // A turn that ended while the link was away is not always told.
    const stop = this.#status.listen(() => this.#receipts.wake());
    return this.#receipts.waitFor(messageId, signal).finally(stop);
  }

  get isFollowing(): boolean {
    return this.#client.credit?.isFollowing === true;
  }

  untilFree(): Promise<void> | undefined {
    // A plain daemon discards queued prompts when it is interrupted (docs/wire/agent-stdio.md#oddities), so the turn
    // that was left has to end first.
    if (this.offersTurns || !this.turns.hasLeftTurns) return undefined;
    return this.turns.whenLeftEnded(CLIENT_LIMITS.requestTimeoutMs);
  }

  async sendPrompt(
    params: Omit<AddUserMessageParams, "sessionId">,
    prompt: SentPrompt,
    signal?: AbortSignal,
  ): Promise<void> {
    this.turns.begin(prompt);
    try {
      const { messageId, requestId: id } = prompt;
      await this.#client.addUserMessage({ ...params, messageId }, { id, ...given({ signal }) });
      if (this.turns.has(prompt.messageId) && this.#activity.isIdle) this.#activity.found("thinking");
    } catch (error) {
      this.turns.forget(prompt.messageId);
      throw error;
    }
  }

  /** Takes over from a result that tells it whether the session is at work. */
  found({ isAgentLoopInProgress, workingState }: Omit<FollowSessionResult, "position">): void {
    if (isAgentLoopInProgress === undefined && workingState === undefined) return;
    const isBusy = isAgentLoopInProgress === true || (workingState ?? "idle") !== "idle";
    this.turns.found(isBusy);
    this.#activity.found(isBusy && (workingState ?? "idle") === "idle" ? "thinking" : (workingState ?? "idle"));
  }

  /** Interrupts the running turn; its stream goes on to its result. */
  async interrupt(): Promise<void> {
    await this.#client.interruptTurn(this.#stream?.noteInterrupt());
  }

  interruptQuietly(messageId: string): void {
    // It waits for a link for as long as one is looked for: nobody else would end the turn.
    this.#client.interruptTurn(messageId, { timeoutMs: 0 }).catch(() => {
      // Whoever left the stream is not there to hear it.
    });
  }

  /** The session was closed or detached on this side: its stream ends without an error. */
  close(): void {
    this.#stream?.close();
    this.#receipts.wake();
  }

  /** The session is out of reach: its stream ends with `error`. */
  fail(error: Error): void {
    this.#stream?.fail(error);
    this.#activity.refresh();
    this.#receipts.wake();
  }

  onEvent(notification: SessionNotification, bytes: number): boolean {
    this.#activity.heard(notification);
    const isHeld = this.#stream?.deliver(notification, bytes) === true;
    // Nearly all there is, and no news of a turn's life: it need not be compared with everything that is.
    if (notification.type !== "assistant_text_delta") this.#observe(notification);
    return isHeld;
  }

  onRequest(): void {
    this.#activity.refresh();
  }

  onEarly(notification: SessionNotification): void {
    this.#activity.heard(notification);
    this.#stream?.heard();
    this.turns.foretell(notification);
    this.#wakeAtEnd(notification);
    if (notification.type !== "session_closed") return;
    if (this.#stream === undefined) this.#ended(notification);
    else this.#closed = notification;
  }

  onBegin(result?: FollowSessionResult): void {
    if (result !== undefined) {
      this.turns.skip();
      this.found(result);
    }
    this.#stream?.begin();
  }

  onGap(gap: SessionGap): void {
    const stream = this.#stream;
    stream?.gap(gap);
    const { loaded, offersReceipts } = gap;
    if (loaded === undefined) return;
    this.found(loaded);
    // What ended in the gap is not told any more.
    if (!this.turns.isBusy) this.turns.reset();
    if (stream === undefined) return;
    if (offersReceipts === true) void this.#settle(stream, loaded);
    else if (!this.turns.isBusy) stream.foundIdle(loaded);
  }

  /** Ends a stream whose turn's end fell into a gap, by what the daemon noted of it. */
  async #settle(stream: SessionStream, loaded: LoadSessionResult): Promise<void> {
    const { messageId: turnId } = stream;
    try {
      const { state, reason = REASON_OF_STATE.get(state) } = await this.getReceipt(turnId);
      if (REASON_OF_STATE.has(state)) this.onEvent({ type: "agent_turn_completed", turnId, reason }, 0);
    } catch {
      if (!this.turns.isBusy) stream.foundIdle(loaded);
    }
  }

  #wakeAtEnd({ type, turnId }: SessionNotification): void {
    if (type === "agent_turn_completed") this.#receipts.wake(turnId);
  }

  #observe(notification: SessionNotification): void {
    this.turns.observe(notification);
    this.#wakeAtEnd(notification);
    switch (notification.type) {
      case "session_process_exited":
        this.#stream?.agentExited(notification);
        this.#agentGone();
        break;
      case "session_inactivity":
        this.fail(this.#error("SESSION_DISCONNECTED", notification, "The daemon stopped the agent for inactivity."));
        this.#agentGone();
        break;
      case "session_closed":
        this.#ended(notification);
        break;
      case "session_unsubscribed":
        this.#end(this.#error("SESSION_DETACHED", notification, "Another client has the session."));
        break;
    }
  }

  #ended(notification: SessionNotification): void {
    this.#closed = undefined;
    this.#end(this.#error("SESSION_CLOSED", notification, "The session was closed elsewhere."));
  }

  /** A daemon that offers `turns` tells the end of each of them; of another one nothing more is heard. */
  #agentGone(): void {
    if (!this.offersTurns) this.turns.reset();
  }

  #end(error: SessionError): void {
    this.#client.detach(error);
    this.fail(error);
  }

  #error(
    code: "SESSION_DISCONNECTED" | "SESSION_CLOSED" | "SESSION_DETACHED",
    { message }: SessionNotification,
    fallback: string,
  ): SessionError {
    const text = typeof message === "string" && message !== "" ? message : fallback;
    return new SessionError(code, `${text} Resume session ${this.sessionId} to go on.`, { sessionId: this.sessionId });
  }
}
