import {
  type AddUserMessageParams,
  abortReason,
  CLIENT_LIMITS,
  METHODS,
  newId,
  type TrackedTurn,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { approximateBytes, EventQueue } from "../base/index.js";
import { placed } from "./event-position.js";
import type { DroidStream, DroidStreamEvent, ResultEvent } from "./events.js";
import type { ResolvedOutputFormat } from "./output-format.js";
import { RedeliveredTurn } from "./redelivered-turn.js";
import type { ResultCollector } from "./result-collector.js";
import { nextStreamState, type StreamEvent, type StreamState } from "./stream.machine.js";
import { StreamDeadlines } from "./stream-deadlines.js";
import type { StreamHost } from "./stream-host.js";
import type { StreamOptions } from "./stream-options.js";
import { TurnEvents } from "./turn-events.js";

type Result<Output> = IteratorResult<DroidStreamEvent<Output>, undefined>;

/**
 * One turn as a {@link DroidStream}: sends the prompt at the first `next()`, and ends with the turn, with an error, or when its
 * consumer stops. {@link TurnEvents} makes the events; `RunningStream` ends the stream when the session ends.
 */
export class SessionStream<Output = unknown> implements DroidStream<Output> {
  readonly messageId: string;
  /** Gets the session's notifications while this stream runs. */
  readonly events: TurnEvents;
  readonly #host: StreamHost<SessionStream>;
  /** Throws when the handle that made this stream has ended. */
  readonly #assertUsable: () => unknown;
  readonly #params: Omit<AddUserMessageParams, "sessionId">;
  readonly #signals: readonly AbortSignal[];
  readonly #requestId = newId();
  readonly #queue: EventQueue<DroidStreamEvent<Output>>;
  readonly #options: StreamOptions<Output>;
  readonly #onAbort = (event: Event): void => this.#abort(event.target as AbortSignal);
  #state: StreamState = "idle";
  /** Whether the prompt was sent. */
  #isSent = false;
  /** The turn, once its prompt is sent. */
  #turn: TrackedTurn | undefined;
  #deadlines: StreamDeadlines | undefined;

  /** Made by `DaemonSession.stream`, which has checked the options. */
  constructor(
    host: StreamHost<SessionStream>,
    params: Omit<AddUserMessageParams, "sessionId">,
    format: ResolvedOutputFormat | undefined,
    options: StreamOptions<Output>,
    assertUsable: () => unknown = () => {},
  ) {
    this.#host = host;
    this.#assertUsable = assertUsable;
    this.#options = options;
    this.messageId = options.messageId ?? newId();
    this.#params = { ...params, messageId: this.messageId };
    this.#signals = [options.signal, options.abortSignal].filter((signal) => signal !== undefined);
    this.#queue = new EventQueue<DroidStreamEvent<Output>>({
      sizeOf: approximateBytes,
      maxBytes: options.maxBufferedBytes ?? CLIENT_LIMITS.streamBufferBytes,
      onTaken: (bytes) => this.events.lease?.taken(bytes),
      // The turn continues without this consumer: its messages can be read with getMessages().
      onOverflow: () => this.#step("failed") && this.#host.turns.abandon(this.messageId),
    });
    this.events = this.#newEvents(format);
  }

  #newEvents(outputFormat: ResolvedOutputFormat | undefined): TurnEvents {
    const { messageId } = this;
    const { sessionId, client, feed, turns, offersTurnEvents } = this.#host;
    const options = {
      messageId,
      sessionId,
      turns,
      outputFormat,
      includePartialMessages: this.#options.includePartialMessages ?? false,
      queue: this.#queue,
      onEnd: (collector: ResultCollector) => void this.#conclude(collector),
      onFailure: (error: Error) => this.fail(error),
    };
    // The daemon may have had a message whose id the caller chose.
    if (this.#options.messageId === undefined || !offersTurnEvents) return new TurnEvents(options);
    const readTurn = (fromSeq: number | undefined) =>
      client.call(METHODS.getTurnEvents, { messageId, ...withoutUndefined({ fromSeq }) });
    return new RedeliveredTurn({ ...options, feed, readTurn });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result<Output>> {
    if (this.#state === "idle") this.#start();
    return this.#queue.next();
  }

  return(): Promise<Result<Output>> {
    this.#abandon();
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

  /** The events of this turn are among the next notifications. */
  begin(): void {
    if (this.#state === "running" && this.#turn !== undefined && !this.events.isTaking) this.events.begin(this.#turn);
  }

  /** The session's agent was stopped, or the session cannot be reached any more: ends with `error`, after the events before it. */
  fail(error: Error): void {
    if (this.#step("failed")) this.#queue.fail(error);
  }

  /** The session was closed or detached on this side: ends without an error. */
  close(): void {
    if (this.#step("closed")) this.#queue.end();
  }

  #start(): void {
    const aborted = this.#signals.find((signal) => signal.aborted);
    try {
      if (aborted !== undefined) throw abortReason(aborted);
      this.#assertUsable();
      this.#host.claim(this as SessionStream);
    } catch (error) {
      this.#step("abandoned");
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
      receivedAt: () => host.feed.receivedAt,
      isSilenceExpected: () => host.isSilenceExpected || this.#queue.length > 0,
      onTimeout: (error) => this.#abandon() && this.#queue.fail(error),
    });
  }

  async #send(): Promise<void> {
    const { client, turns } = this.#host;
    const free = turns.untilFree();
    if (free !== undefined) await free;
    while (this.#host.reattaching !== undefined) await this.#host.reattaching;
    if (this.#state !== "running") return;
    this.#isSent = true;
    // Before the prompt, and without waiting for the answer: a prompt takes no further round trip.
    this.events.lease = client.credit?.attach(true);
    const { messageId } = this;
    const acknowledged = turns.sendPrompt(this.#params, { messageId, requestId: this.#requestId });
    this.#turn = turns.find(messageId);
    // Else `begin` is called once the position is known at which this stream's events begin.
    if (client.credit?.isFollowing !== true) this.begin();
    try {
      const { receipt } = await acknowledged;
      this.events.acknowledged(receipt);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  async #conclude(collector: ResultCollector): Promise<void> {
    if (!this.#step("turnEnded")) return;
    const { place } = this.events;
    const result = placed((await collector.result()) as ResultEvent<Output>, place);
    if (!this.#step("resultMade")) return;
    this.#queue.push(result, this.events.lease && 0);
    this.#queue.end();
  }

  #abort(signal: AbortSignal): void {
    if (!this.#abandon()) return;
    this.#queue.clear();
    this.#queue.fail(abortReason(signal));
  }

  /** Ends the stream before its turn, which is interrupted. False: the stream has ended before. */
  #abandon(): boolean {
    const wasSent = this.#state === "running" && this.#isSent;
    if (!this.#step("abandoned")) return false;
    if (!wasSent) return true;
    this.#host.turns.abandon(this.messageId);
    this.#host.turns.interruptQuietly(this.messageId);
    return true;
  }

  /** The only place that writes the state. False: the event means nothing in the present state. */
  #step(event: StreamEvent): boolean {
    const next = nextStreamState(this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    if (next !== "running") this.events.stop();
    if (next === "ended") {
      for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
      // The events that still wait are at most one window of credit; the next consumer begins with another window.
      this.events.lease?.end();
      this.#deadlines?.stop();
      this.#host.release(this as SessionStream);
    }
    return true;
  }
}
