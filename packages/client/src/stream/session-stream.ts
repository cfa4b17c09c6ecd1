import {
  type AddUserMessageParams,
  abortReason,
  CLIENT_LIMITS,
  type LoadSessionResult,
  newId,
  type SessionMessage,
  type SessionNotification,
  SessionState,
  type TrackedTurn,
  type TurnEnd,
} from "@daemon-sdk/protocol";
import { approximateBytes, EventQueue, withoutUndefined } from "../base/index.js";
import { type CreditLease, type EventSink, type SessionGap, snapshotOf } from "../session/index.js";
import type { BridgedEvent, DroidStream, DroidStreamEvent, GapEvent, ResultEvent } from "./events.js";
import { MessageBridge } from "./message-bridge.js";
import { missedMessages } from "./missed-messages.js";
import type { ResolvedOutputFormat } from "./output-format.js";
import { ResultCollector } from "./result-collector.js";
import { nextStreamState, type StreamEvent, type StreamState } from "./stream.machine.js";
import { StreamDeadlines } from "./stream-deadlines.js";
import type { StreamHost } from "./stream-host.js";
import type { StreamOptions } from "./stream-options.js";
import { type HistoryOwner, TurnHistory } from "./turn-history.js";

type Result<Output> = IteratorResult<DroidStreamEvent<Output>, undefined>;

/**
 * One turn as a {@link DroidStream}. The session's feed delivers notifications; `SessionTurns` ends the stream when the session
 * ends.
 */
export class SessionStream<Output = unknown> implements DroidStream<Output>, EventSink {
  readonly messageId: string;
  readonly #host: StreamHost<SessionStream>;
  readonly #params: Omit<AddUserMessageParams, "sessionId">;
  readonly #format: ResolvedOutputFormat | undefined;
  readonly #signals: readonly AbortSignal[];
  readonly #requestId = newId();
  readonly #bridge: MessageBridge;
  readonly #queue: EventQueue<DroidStreamEvent<Output>>;
  readonly #onAbort = (event: Event): void => this.#abort(event.target as AbortSignal);
  #state: StreamState = "idle";
  /** Whether the prompt was sent. */
  #isSent = false;
  #isAcknowledged = false;
  /** The turn, once its prompt is sent. */
  #turn: TrackedTurn | undefined;
  /** For a message whose id the caller chose, and which the daemon may have had before. */
  readonly #history: TurnHistory | undefined;
  /** Where there may be a history: the session's state at what this stream has taken in. */
  #ownState: SessionState | undefined;
  /** Set where the events of this turn begin; notifications before that belong to others. */
  #collector: ResultCollector | undefined;
  #lease: CreditLease | undefined;
  readonly #options: StreamOptions<Output>;
  #deadlines: StreamDeadlines | undefined;

  /** Made by `DaemonSession.stream`, which has checked the options. */
  constructor(
    host: StreamHost<SessionStream>,
    params: Omit<AddUserMessageParams, "sessionId">,
    format: ResolvedOutputFormat | undefined,
    options: StreamOptions<Output>,
  ) {
    this.#host = host;
    this.#options = options;
    this.messageId = options.messageId ?? newId();
    this.#params = { ...params, messageId: this.messageId };
    this.#format = format;
    this.#signals = [options.signal, options.abortSignal].filter((signal) => signal !== undefined);
    this.#bridge = new MessageBridge({ includePartialMessages: options.includePartialMessages ?? false });
    const mayBeKnown = options.messageId !== undefined && host.offersTurnEvents;
    this.#history = mayBeKnown ? new TurnHistory(this.#historyOwner()) : undefined;
    this.#queue = new EventQueue<DroidStreamEvent<Output>>({
      sizeOf: approximateBytes,
      maxBytes: options.maxBufferedBytes ?? CLIENT_LIMITS.streamBufferBytes,
      onTaken: (bytes) => this.#lease?.taken(bytes),
      // The turn goes on without this reader: its messages can be read with getMessages().
      onOverflow: () => this.#step("broke") && this.#host.leave(this.messageId),
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result<Output>> {
    if (this.#state === "idle") this.#start();
    return this.#queue.next();
  }

  return(): Promise<Result<Output>> {
    this.#leave();
    this.#queue.discard();
    return Promise.resolve({ value: undefined, done: true });
  }

  async throw(error: unknown): Promise<Result<Output>> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /**
   * Takes in a notification that the session's state has applied. True: its events wait here, and hold `bytes` of credit until
   * they are consumed.
   */
  deliver(notification: SessionNotification, bytes: number): boolean {
    this.heard();
    if (this.#state !== "running" || this.#collector === undefined) return false;
    if (this.#history?.isHolding !== true) return this.#take(notification, bytes);
    const lease = this.#lease;
    lease?.hold(bytes);
    this.#history.hold(() => {
      if (!this.#take(notification, bytes, false)) lease?.taken(bytes);
    });
    return bytes > 0;
  }

  /** Makes events of a notification. True: they wait here, and hold `bytes` of credit, from now on if `holds`. */
  #take(notification: SessionNotification, bytes: number, holds = true): boolean {
    const collector = this.#collector;
    if (this.#state !== "running" || collector === undefined) return false;
    this.#ownState?.apply(notification);
    const events = this.#bridge.push(notification);
    const hasEnded = collector.observe(notification, events);
    const last = events.length === 0 || collector.isForeign(notification) ? -1 : events.length - 1;
    const lease = this.#lease;
    if (holds && last >= 0) lease?.hold(bytes);
    for (let index = 0; index <= last; index += 1) {
      const event = events[index] as BridgedEvent;
      // Where credit bounds what waits, an event weighs what it cost, with the last of its notification.
      if (lease === undefined) this.#queue.push(event);
      else this.#queue.push(event, index === last ? bytes : 0);
    }
    if (hasEnded) void this.#conclude(collector);
    return last >= 0 && bytes > 0;
  }

  /** A frame of the session was received. */
  heard(): void {
    this.#deadlines?.heard();
  }

  /** The events of this turn are among the next notifications. */
  begin(): void {
    if (this.#state !== "running" || this.#collector !== undefined || this.#turn === undefined) return;
    let turn: TrackedTurn | undefined = this.#turn;
    if (this.#history !== undefined) {
      this.#ownState = this.#host.copyOfState();
      turn = this.#ownState.turn(this.messageId) ?? turn;
    }
    const collector = this.#collect(turn);
    this.#history?.begun(this.#host.lastSeq);
    if (this.#history?.isHolding === true) return;
    collector.conclude();
    if (collector.hasEnded) void this.#conclude(collector);
  }

  #collect(turn: TrackedTurn): ResultCollector {
    const { sessionId } = this.#host;
    const collector = new ResultCollector(turn, { sessionId, ...withoutUndefined({ outputFormat: this.#format }) });
    this.#collector = collector;
    return collector;
  }

  /** Events are missing before the next ones. Messages of the turn that the loaded session holds are yielded here. */
  gap(gap: SessionGap): void {
    this.#inOrder(() => {
      const { reason, from, to, loaded } = gap;
      const snapshot = loaded && snapshotOf(loaded);
      this.#pushGap({ reason, ...(from && { from }), ...(to && { to }), ...(snapshot && { snapshot }) });
      for (const missed of this.#missed(snapshot?.history ?? [])) {
        this.#host.apply(missed);
        this.#take(missed, 0);
      }
    });
  }

  #pushGap(gap: Omit<GapEvent, "type">): void {
    this.#queue.push({ type: "gap", ...gap }, this.#lease && 0);
  }

  #missed(messages: readonly SessionMessage[]): SessionNotification[] {
    return missedMessages(messages, (id) => this.#bridge.hasSeen(id), this.messageId);
  }

  /** After a gap no turn runs in the session: this turn is over, if the daemon ever accepted its prompt. */
  foundIdle({ session, queuedMessages = [] }: LoadSessionResult): void {
    const wasTaken = this.#isAcknowledged || session.messages.some(({ id }) => id === this.messageId);
    const isQueued = queuedMessages.some(({ messageId }) => messageId === this.messageId);
    if (!wasTaken || isQueued) return;
    this.#inOrder((collector) => {
      this.#endTurn({ by: "idle" });
      collector.conclude();
      void this.#conclude(collector);
    });
  }

  /** The agent's process has exited. */
  agentExited(notification: SessionNotification): void {
    this.#inOrder((collector) => {
      // A daemon that offers `turns` starts the agent again for a prompt that has not begun.
      if (this.#host.offersTurns && collector.isUntouched) return;
      this.#endTurn({ by: "completed", reason: "agent_exited" });
      collector.conclude(notification);
      void this.#conclude(collector);
    });
  }

  /** Acts now, or behind what the stream holds back; not at all before its events begin, and after its end. */
  #inOrder(act: (collector: ResultCollector) => void): void {
    if (this.#collector === undefined) return;
    const actNow = (): void => {
      if (this.#state === "running" && this.#collector !== undefined) act(this.#collector);
    };
    if (this.#history?.isHolding === true) this.#history.hold(actNow);
    else actNow();
  }

  #endTurn(end: TurnEnd): void {
    this.#host.endTurn(this.messageId, end);
    this.#ownState?.end(this.messageId, end);
  }

  /** The session's agent was stopped, or the session cannot be reached any more: ends with `error`, after the events before it. */
  fail(error: Error): void {
    if (this.#step("broke")) this.#queue.fail(error);
  }

  /** The session was closed or detached on this side: ends without an error. */
  close(): void {
    if (this.#step("closed")) this.#queue.end();
  }

  /** This side interrupts the running turn. Returns the id of this stream's message if the running turn is its own. */
  noteInterrupt(): string | undefined {
    this.#collector?.noteInterrupt();
    return this.#state === "running" && this.#collector?.isUntouched === false ? this.messageId : undefined;
  }

  /** What the history of this stream's turn does with the stream. */
  #historyOwner(): HistoryOwner {
    const { messageId } = this;
    return {
      messageId,
      isRunning: () => this.#state === "running",
      readTurn: (fromSeq) => this.#host.readTurn(messageId, fromSeq),
      startOver: () => {
        this.#ownState = new SessionState({ turns: true });
        this.#collect(this.#ownState.expect({ messageId }));
      },
      takeIn: (notification) => this.#take(notification, 0),
      takeMessages: (messages) => {
        this.#pushGap({ reason: "too-old" });
        for (const missed of this.#missed(messages)) this.#take(missed, 0);
      },
      takeAnswer: (text) => this.#collector?.noteAnswer(text),
      hasEnded: () => this.#host.endTurn(messageId, { by: "idle" }),
      whenTaken: () => this.#queue.whenEmpty(),
      fail: (error) => this.fail(error),
    };
  }

  #start(): void {
    const aborted = this.#signals.find((signal) => signal.aborted);
    try {
      if (aborted !== undefined) throw abortReason(aborted);
      this.#host.claim(this as SessionStream);
    } catch (error) {
      this.#step("left");
      this.#queue.fail(error);
      return;
    }
    this.#step("start");
    for (const signal of this.#signals) signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#startDeadlines();
    void this.#send();
  }

  #startDeadlines(): void {
    const { timeoutMs, idleTimeoutMs } = this.#options;
    if (timeoutMs === undefined && idleTimeoutMs === undefined) return;
    const host = this.#host;
    this.#deadlines = new StreamDeadlines({
      clock: host.clock,
      timeoutMs,
      idleTimeoutMs,
      isExcused: () => host.pendingRequests > 0 || !host.isReachable || this.#queue.length > 0,
      onTimeout: (error) => this.#leave() && this.#queue.fail(error),
    });
  }

  async #send(): Promise<void> {
    const free = this.#host.untilFree();
    if (free !== undefined) await free;
    while (this.#host.reattaching !== undefined) await this.#host.reattaching;
    if (this.#state !== "running") return;
    this.#isSent = true;
    // Sent before the prompt, without waiting for the answer: a prompt takes no further round trip.
    this.#lease = this.#host.attach();
    const { messageId } = this;
    const acknowledged = this.#host.sendPrompt(this.#params, { messageId, requestId: this.#requestId });
    this.#turn = this.#host.turn(messageId);
    if (!this.#host.isFollowing) this.begin();
    try {
      const { receipt } = await acknowledged;
      this.#isAcknowledged = true;
      this.#history?.acknowledged(receipt);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  async #conclude(collector: ResultCollector): Promise<void> {
    if (!this.#step("turnEnded")) return;
    const result = (await collector.result()) as ResultEvent<Output>;
    if (!this.#step("resultMade")) return;
    this.#queue.push(result, this.#lease && 0);
    this.#queue.end();
  }

  #abort(signal: AbortSignal): void {
    if (!this.#leave()) return;
    this.#queue.clear();
    this.#queue.fail(abortReason(signal));
  }

  #leave(): boolean {
    const wasSent = this.#state === "running" && this.#isSent;
    if (!this.#step("left")) return false;
    if (!wasSent) return true;
    this.#host.leave(this.messageId);
    this.#host.interruptQuietly(this.messageId);
    return true;
  }

  /** The only place that writes the state. False: the event means nothing now. */
  #step(event: StreamEvent): boolean {
    const next = nextStreamState(this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    if (next === "ended") {
      for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
      // The events that still wait are at most one window of credit; the next consumer begins with another window.
      this.#lease?.end();
      this.#deadlines?.stop();
      this.#host.release(this as SessionStream);
    }
    return true;
  }
}
