import {
  type AddUserMessageParams,
  abortReason,
  CLIENT_LIMITS,
  type Clock,
  type LoadSessionResult,
  newId,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import { approximateBytes, EventQueue } from "../base/index.js";
import { type CreditLease, type SentPrompt, type SessionGap, snapshotOf, type TurnLedger } from "../session/index.js";
import type { BridgedEvent, DroidStream, DroidStreamEvent, ResultEvent } from "./events.js";
import { MessageBridge } from "./message-bridge.js";
import { missedMessages } from "./missed-messages.js";
import type { ResolvedOutputFormat } from "./output-format.js";
import { nextStreamState, type StreamEvent, type StreamState } from "./stream.machine.js";
import { StreamDeadlines } from "./stream-deadlines.js";
import type { StreamOptions } from "./stream-options.js";
import { StreamStateTracker } from "./stream-state-tracker.js";

/** What a stream needs of the session it belongs to. */
export interface StreamHost {
  readonly sessionId: string;
  /** Whether the daemon offers `turns`. */
  readonly offersTurns: boolean;
  readonly turns: TurnLedger;
  readonly clock: Clock;
  /** Requests that wait for a person. */
  readonly pendingRequests: number;
  /** Whether there is a link. */
  readonly isReachable: boolean;
  /** Whether what comes now lies before the place where events go on; `begin` follows. */
  readonly isFollowing: boolean;
  /** Set while the session is being attached to a link anew: the place where events go on is not known before. */
  readonly reattaching: Promise<void> | undefined;
  /** Has the daemon send events; undefined where it sends them anyway. */
  attach(): CreditLease | undefined;
  /** Takes the one place for a running stream; throws when it is taken, or when the session cannot be used. */
  claim(stream: SessionStream): void;
  /** Gives the place back; ignored when it is not this stream's. */
  release(stream: SessionStream): void;
  /** Undefined when a prompt can go out now, else what to wait for. */
  untilFree(): Promise<void> | undefined;
  /** Sends the prompt; resolves at the acknowledgement. */
  sendPrompt(params: Omit<AddUserMessageParams, "sessionId">, prompt: SentPrompt): Promise<void>;
  /** Asks to interrupt that message's turn; the outcome is nobody's concern. */
  interruptQuietly(messageId: string): void;
}

type Result<Output> = IteratorResult<DroidStreamEvent<Output>, undefined>;

/** One turn as a {@link DroidStream}; the session feeds it with notifications and tells it when its own life ends. */
export class SessionStream<Output = unknown> implements DroidStream<Output> {
  readonly messageId: string;
  readonly #host: StreamHost;
  readonly #params: Omit<AddUserMessageParams, "sessionId">;
  readonly #format: ResolvedOutputFormat | undefined;
  readonly #signals: readonly AbortSignal[];
  readonly #requestId = newId();
  readonly #bridge: MessageBridge;
  readonly #queue: EventQueue<DroidStreamEvent<Output>>;
  readonly #onAbort = (event: Event): void => this.#abort(event.target as AbortSignal);
  #state: StreamState = "idle";
  /** Whether the prompt is on its way. */
  #isSent = false;
  #isAcknowledged = false;
  /** Set where our events begin; what the session tells before it is not ours. */
  #tracker: StreamStateTracker | undefined;
  #lease: CreditLease | undefined;
  readonly #options: StreamOptions<Output>;
  #deadlines: StreamDeadlines | undefined;

  /** Made by `DaemonSession.stream`, which has checked the options. */
  constructor(
    host: StreamHost,
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
    this.#queue = new EventQueue<DroidStreamEvent<Output>>({
      sizeOf: approximateBytes,
      maxBytes: options.maxBufferedBytes ?? CLIENT_LIMITS.streamBufferBytes,
      onTaken: (bytes) => this.#lease?.taken(bytes),
      // The work goes on, only this reader is lost: the messages can be read with getMessages().
      onOverflow: () => this.#step("broke") && this.#host.turns.leave(this.messageId),
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

  /** Takes in one notification of the session. True: it waits here, and its `bytes` of credit are given back once it is taken. */
  deliver(notification: SessionNotification, bytes: number): boolean {
    this.heard();
    const tracker = this.#tracker;
    if (this.#state !== "running" || tracker === undefined) return false;
    const wasBehind = tracker.isBehind;
    const events = this.#bridge.push(notification);
    const ended = tracker.observe(notification, events);
    const isOurs = events.length > 0 && !(wasBehind && tracker.isBehind);
    if (isOurs) this.#push(events, bytes);
    if (ended) void this.#conclude(tracker);
    return isOurs && bytes > 0;
  }

  /** The session has given a sign of life. */
  heard(): void {
    this.#deadlines?.heard();
  }

  /** Our events begin with what comes now. */
  begin(): void {
    if (this.#state !== "running" || this.#tracker !== undefined) return;
    const { turns, offersTurns, sessionId } = this.#host;
    const { messageId } = this;
    this.#tracker = new StreamStateTracker({
      messageId,
      requestId: this.#requestId,
      sessionId,
      turns: offersTurns,
      ahead: turns.aheadOf(messageId),
      ...(this.#format === undefined ? {} : { outputFormat: this.#format }),
    });
  }

  /** Events are missing before those that come now; messages of the turn that are known all the same are told here. */
  gap({ reason, from, to, loaded }: SessionGap): void {
    if (this.#state !== "running" || this.#tracker === undefined) return;
    const snapshot = loaded && snapshotOf(loaded);
    this.#queue.push(
      { type: "gap", reason, ...(from && { from }), ...(to && { to }), ...(snapshot && { snapshot }) },
      this.#lease && 0,
    );
    const isKnown = (id: string) => this.#bridge.hasSeen(id);
    for (const missed of missedMessages(snapshot?.history ?? [], isKnown, this.messageId)) this.deliver(missed, 0);
  }

  /** After a gap the session was at work on nothing: the turn is over, if the daemon ever had it. */
  foundIdle({ session, queuedMessages = [] }: LoadSessionResult): void {
    const tracker = this.#tracker;
    const wasTaken = this.#isAcknowledged || session.messages.some(({ id }) => id === this.messageId);
    const isQueued = queuedMessages.some(({ messageId }) => messageId === this.messageId);
    if (this.#state !== "running" || tracker === undefined || !wasTaken || isQueued) return;
    tracker.endedUnseen();
    void this.#conclude(tracker);
  }

  /** The agent's process is gone. */
  agentExited(notification: SessionNotification): void {
    const tracker = this.#tracker;
    if (this.#state !== "running" || tracker === undefined || this.#waitsForNewAgent(tracker)) return;
    tracker.agentExited(notification);
    void this.#conclude(tracker);
  }

  /** The session's agent was stopped, or the session is out of reach: ends with `error`, after what came before. */
  fail(error: Error): void {
    if (this.#step("broke")) this.#queue.fail(error);
  }

  /** The session was closed or detached on this side: ends without an error. */
  close(): void {
    if (this.#step("closed")) this.#queue.end();
  }

  /** This side interrupts what runs; gives back our message's id where that is our turn. */
  noteInterrupt(): string | undefined {
    this.#tracker?.noteInterrupt();
    return this.#state === "running" && this.#tracker?.isUntouched === false ? this.messageId : undefined;
  }

  /** A daemon that offers `turns` starts the agent again for a prompt that has not begun. */
  #waitsForNewAgent(tracker: StreamStateTracker): boolean {
    return this.#host.offersTurns && tracker.isUntouched;
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
    // Sent before the prompt and not waited for: a prompt costs no round trip more.
    this.#lease = this.#host.attach();
    if (!this.#host.isFollowing) this.begin();
    try {
      await this.#host.sendPrompt(this.#params, { messageId: this.messageId, requestId: this.#requestId });
      this.#isAcknowledged = true;
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #push(events: BridgedEvent[], bytes: number): void {
    const lease = this.#lease;
    lease?.hold(bytes);
    const last = events.length - 1;
    for (let index = 0; index <= last; index += 1) {
      const event = events[index] as BridgedEvent;
      // Where credit bounds what waits, an event weighs what it cost, with the last of its notification.
      if (lease === undefined) this.#queue.push(event);
      else this.#queue.push(event, index === last ? bytes : 0);
    }
  }

  async #conclude(tracker: StreamStateTracker): Promise<void> {
    if (!this.#step("turnEnded")) return;
    const result = (await tracker.result()) as ResultEvent<Output>;
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
    this.#host.turns.leave(this.messageId);
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
      // What still waits is no more than one window; the next consumer gets another one.
      this.#lease?.end();
      this.#deadlines?.stop();
      this.#host.release(this as SessionStream);
    }
    return true;
  }
}
