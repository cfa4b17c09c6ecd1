import {
  type AddUserMessageParams,
  type AddUserMessageResult,
  CLIENT_LIMITS,
  type Clock,
  ConcurrentStreamError,
  type DaemonCapabilities,
  type FollowSessionResult,
  type GetTurnEventsResult,
  type LoadSessionResult,
  METHODS,
  type PromptIds,
  type Receipt,
  type SessionError,
  type SessionFindings,
  type SessionNotification,
  SessionState,
  type TrackedTurn,
  type TurnEnd,
} from "@daemon-sdk/protocol";
import { idleClock, withoutUndefined } from "../base/index.js";
import type { ConnectionCalls, StatusEvents } from "../connection/index.js";
import {
  type ActivityHost,
  type ActivityListener,
  type CreditLease,
  type DaemonClient,
  LeftTurns,
  type ObservedFeed,
  REASON_OF_STATE,
  SessionActivityWatch,
  type SessionGap,
  type SessionObserver,
  TurnReceipts,
} from "../session/index.js";
import { endingOf } from "./session-ending.js";
import type { SessionStream } from "./session-stream.js";
import type { StreamHost } from "./stream-host.js";

/** Options of {@link SessionTurns}. */
export interface SessionTurnsOptions {
  readonly client: DaemonClient;
  readonly capabilities: DaemonCapabilities;
  /** `calls` and `status` say whether there is a link now. */
  readonly calls: ConnectionCalls;
  readonly status: StatusEvents;
  readonly onError: (error: Error) => void;
  /** Default: the computer's. */
  readonly clock: Clock | undefined;
}

/**
 * The turns of one session, and the one stream that may run: sends prompts, and ends the stream when the session or its agent
 * is gone. Which turns are open is the feed's state; events go from the feed to the stream directly.
 */
export class SessionTurns implements StreamHost<SessionStream>, SessionObserver, ActivityHost {
  readonly offersTurns: boolean;
  readonly offersTurnEvents: boolean;
  readonly clock: Clock;
  readonly feed: ObservedFeed;
  readonly #client: DaemonClient;
  readonly #calls: ConnectionCalls;
  readonly #status: StatusEvents;
  readonly #activity: SessionActivityWatch;
  readonly #left = new LeftTurns();
  readonly #receipts: TurnReceipts;
  #stream: SessionStream | undefined;
  /** The early copy of the session's end, while a stream still gets the entries before it. */
  #closed: SessionNotification | undefined;

  /** Has to be made before the session is made or loaded, so that no event is missed. */
  constructor({ client, capabilities, calls, status, clock = idleClock, onError }: SessionTurnsOptions) {
    this.#client = client;
    this.#calls = calls;
    this.#status = status;
    this.clock = clock;
    this.#activity = new SessionActivityWatch(this, onError);
    this.#receipts = new TurnReceipts((messageId, signal) => this.getReceipt(messageId, signal));
    this.offersTurns = capabilities.turns === true;
    this.offersTurnEvents = this.offersTurns && capabilities.turnEvents === true;
    this.feed = client.observe(this);
  }

  get sessionId(): string {
    // The caller gets a handle only once the session has its id.
    return this.#client.sessionId as string;
  }

  claim(stream: SessionStream): void {
    this.#client.assertConnected();
    if (this.#stream !== undefined) throw new ConcurrentStreamError(this.sessionId);
    this.#setStream(stream);
  }

  release(stream: SessionStream): void {
    if (this.#stream === stream) this.#setStream(undefined);
    if (this.#closed !== undefined) this.#endBy(this.#closed);
  }

  attach(): CreditLease | undefined {
    return this.#client.credit?.attach(true);
  }

  get reattaching(): Promise<void> | undefined {
    return this.#client.credit && this.feed.reattaching;
  }

  get pendingRequests(): number {
    return this.#client.pendingRequests;
  }

  get isReachable(): boolean {
    return this.#calls.isOpen && this.#client.isConnected;
  }

  get receivesEvents(): boolean {
    return this.#client.credit?.hasConsumer !== false;
  }

  /** What the session waits for. */
  get activity(): SessionActivityWatch["current"] {
    return this.#activity.current;
  }

  /** Calls back with each change of the activity. This consumes events, because they state the working state. */
  onActivity(listener: ActivityListener): () => void {
    const stops = [
      this.#client.onNotification(() => {}),
      this.#activity.listen(listener),
      this.#status.listen(() => this.#activity.refresh()),
      () => this.#wantDeltas(),
    ];
    this.#wantDeltas();
    return () => {
      for (const stop of stops) stop();
    };
  }

  #setStream(stream: SessionStream | undefined): void {
    this.#stream = stream;
    this.feed.stream = stream;
  }

  #wantDeltas(): void {
    this.feed.wantsDeltas = this.#activity.isWatched;
  }

  async getReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    const { receipts } = await this.#client.call(
      METHODS.getReceipts,
      { messageIds: [messageId] },
      withoutUndefined({ signal }),
    );
    return receipts[0] ?? { messageId, state: "unknown" };
  }

  /** Resolves when the message's turn is over. */
  async waitForReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    // For a turn that ended without a link there is not always a notification.
    const stop = this.#status.listen(() => this.#receipts.wake());
    return this.#receipts.waitFor(messageId, signal).finally(stop);
  }

  get isFollowing(): boolean {
    return this.#client.credit?.isFollowing === true;
  }

  untilFree(): Promise<void> | undefined {
    // A plain daemon discards queued prompts when it is interrupted (docs/wire/agent-stdio.md#oddities), so the turn
    // that was left has to end first.
    if (this.offersTurns || this.#left.isEmpty) return undefined;
    return this.#left.whenEmpty(CLIENT_LIMITS.requestTimeoutMs);
  }

  async sendPrompt(
    params: Omit<AddUserMessageParams, "sessionId">,
    { messageId, requestId }: PromptIds,
    signal?: AbortSignal,
  ): Promise<AddUserMessageResult> {
    const { state } = this.feed;
    // A prompt that is sent again goes on with its turn.
    const isNew = state.turn(messageId) === undefined;
    if (isNew) state.expect({ messageId, requestId });
    try {
      const call = withoutUndefined({ id: requestId, signal });
      const result = await this.#client.addUserMessage({ ...params, messageId }, call);
      this.#accepted(messageId, result);
      return result;
    } catch (error) {
      if (isNew) this.#forget([{ messageId }]);
      throw error;
    }
  }

  #accepted(messageId: string, { receipt }: AddUserMessageResult): void {
    const { state } = this.feed;
    if (REASON_OF_STATE.has(receipt?.state ?? "")) {
      // The turn is over. A stream of it reads for itself how it ended.
      if (this.#stream?.messageId !== messageId) this.#forget([{ messageId }]);
      return;
    }
    if (state.turn(messageId)?.isForetold !== false || state.latestWorkingState !== "idle") return;
    state.presume("thinking");
    this.#activity.stated();
  }

  get lastSeq(): number {
    return this.feed.progress;
  }

  copyOfState(): SessionState {
    return SessionState.from(this.feed.state.snapshot());
  }

  readTurn(messageId: string, fromSeq: number | undefined): Promise<GetTurnEventsResult> {
    return this.#client.call(METHODS.getTurnEvents, { messageId, ...withoutUndefined({ fromSeq }) });
  }

  apply(notification: SessionNotification): void {
    this.#left.settle(this.feed.state.apply(notification));
  }

  turn(messageId: string): TrackedTurn | undefined {
    return this.feed.state.turn(messageId);
  }

  endTurn(messageId: string, end: TurnEnd): void {
    this.feed.state.end(messageId, end);
    this.#left.settle([{ messageId }]);
  }

  leave(messageId: string): void {
    if (this.turn(messageId) !== undefined) this.#left.add(messageId);
  }

  /** Takes over the working state that a result holds. */
  found(findings: SessionFindings): void {
    const states = statesOf(findings);
    if (states === undefined) return;
    this.feed.state.found(states);
    this.#activity.stated();
  }

  /** Interrupts the running turn; its stream goes on to its result. */
  async interrupt(): Promise<void> {
    await this.#client.interruptTurn(this.#stream?.noteInterrupt());
  }

  interruptQuietly(messageId: string): void {
    // Without a time limit: the call waits for a link as long as the connection tries, because nothing else would end the turn.
    this.#client.interruptTurn(messageId, { timeoutMs: 0 }).catch(() => {
      // The stream was left, so that there is nobody to report it to.
    });
  }

  /** The session was closed or detached on this side: its stream ends without an error. */
  close(): void {
    this.#stream?.close();
    this.#receipts.wake();
  }

  /** The session cannot be reached any more: its stream ends with `error`. */
  fail(error: Error): void {
    this.#stream?.fail(error);
    this.#activity.refresh();
    this.#receipts.wake();
  }

  onEvent(notification: SessionNotification, ended: readonly TrackedTurn[]): void {
    this.#activity.refresh();
    this.#left.settle(ended);
    this.#wakeAtEnd(notification);
    const { type } = notification;
    if (type === "session_process_exited") {
      this.#stream?.agentExited(notification);
      this.#agentGone();
    } else if (type === "session_inactivity") {
      this.fail(endingOf(notification, this.sessionId) as SessionError);
      this.#agentGone();
    } else this.#endBy(notification);
  }

  onRequest(): void {
    this.#activity.refresh();
  }

  onEarly(notification: SessionNotification): void {
    this.#activity.refresh();
    this.#stream?.heard();
    this.#wakeAtEnd(notification);
    if (notification.type !== "session_closed") return;
    if (this.#stream === undefined) this.#endBy(notification);
    else this.#closed = notification;
  }

  onBegin(result?: FollowSessionResult): void {
    if (result !== undefined) {
      this.#left.settle(this.feed.state.skipTo(statesOf(result) ?? {}));
      this.#activity.stated();
    }
    this.#stream?.begin();
  }

  onGap(gap: SessionGap): void {
    const stream = this.#stream;
    stream?.gap(gap);
    const { loaded, offersReceipts } = gap;
    if (loaded === undefined) return;
    this.found(loaded);
    const { state } = this.feed;
    // No notification follows for turns that ended in the gap. How that of the stream ended is looked up.
    if (!state.isBusy) this.#forget(state.turns.filter(({ messageId }) => messageId !== stream?.messageId));
    if (stream === undefined) return;
    if (offersReceipts === true) void this.#settle(stream, loaded);
    else if (!state.isBusy) stream.foundIdle(loaded);
  }

  /** Ends a stream whose turn's end fell into a gap, by the receipt that the daemon has of it. */
  async #settle(stream: SessionStream, loaded: LoadSessionResult): Promise<void> {
    const { messageId: turnId } = stream;
    try {
      const { state, reason = REASON_OF_STATE.get(state) } = await this.getReceipt(turnId);
      if (!REASON_OF_STATE.has(state)) return;
      const end: SessionNotification = { type: "agent_turn_completed", turnId, reason };
      const ended = this.feed.state.apply(end);
      this.#stream?.deliver(end, 0);
      this.onEvent(end, ended);
    } catch {
      if (!this.feed.state.isBusy) stream.foundIdle(loaded);
    }
  }

  #forget(turns: readonly Pick<TrackedTurn, "messageId">[]): void {
    for (const { messageId } of turns) this.feed.state.forget(messageId);
    this.#left.settle(turns);
  }

  #wakeAtEnd({ type, turnId }: SessionNotification): void {
    if (type === "agent_turn_completed") this.#receipts.wake(turnId);
  }

  #endBy(notification: SessionNotification): void {
    const error = endingOf(notification, this.sessionId);
    if (error === undefined) return;
    this.#closed = undefined;
    this.#client.detach(error);
    this.fail(error);
  }

  /** A daemon that offers `turns` notifies the end of each turn; another one sends nothing more of them. */
  #agentGone(): void {
    if (!this.offersTurns) this.#left.settle(this.feed.state.reset());
  }
}

/** What a result holds of the working state, without the requests, which the inbox takes over; undefined when that is nothing. */
function statesOf({ isAgentLoopInProgress, workingState, tokenUsage }: SessionFindings): SessionFindings | undefined {
  if (isAgentLoopInProgress === undefined && workingState === undefined) return undefined;
  return withoutUndefined({ isAgentLoopInProgress, workingState, tokenUsage });
}
