import { type DaemonError, LIMITS, type Logger, newId } from "@daemon-sdk/protocol";
import {
  type AckPayload,
  type ChannelJoinPayload,
  createEnvelope,
  type Envelope,
  type SendMeta,
  type ShadowBindPayload,
} from "@daemon-sdk/protocol/relay";
import { MessageFeed } from "./message-feed.js";
import { Outbox, type SendReceipt } from "./outbox.js";
import { PendingReplies, type ReplyOptions } from "./pending-replies.js";
import { Presence, type RelayPresence } from "./presence.js";
import type { RelayState } from "./relay.machine.js";
import { RelayCalls } from "./relay-calls.js";
import { RelayConnection } from "./relay-connection.js";
import { clientClosed } from "./relay-errors.js";
import { RelayInbound } from "./relay-inbound.js";
import type { RelayMessage } from "./relay-message.js";
import { type RelayClientOptions, relaySettings } from "./relay-options.js";
import type { RelayPlatform } from "./relay-platform.js";
import { RelayQueries } from "./relay-queries.js";
import { RelayWorkers } from "./relay-workers.js";
import { type ExchangeOptions, type MessageOptions, type PostOptions, sendEnvelope } from "./send-envelope.js";
import { StandingWishes } from "./standing-wishes.js";

/**
 * One agent (or user) among others: sends and receives messages, joins channels, asks and answers, starts other agents.
 *
 * Comes back by itself after a loss, with the same session where the daemon has kept it, and says again what it wants to hear.
 * Messages that are sent meanwhile wait, within bounds. Each message comes out of {@link messages} once, though the
 * daemon delivers until it is acknowledged; that happens when the consumer has handled it.
 *
 * The entry points export it with the platform filled in: `new RelayClient(options)`.
 */
export class RelayAgent implements AsyncDisposable {
  /** Questions to the daemon: status, inbox, agents, … */
  readonly queries: RelayQueries;
  /** Agents that the daemon starts and ends for this one. */
  readonly workers: RelayWorkers;
  /** As given in the options. */
  readonly name: string;
  /** Hears each change of {@link state}. */
  onState: ((state: RelayState) => void) | undefined;
  /** Hears of what no call could tell: an ERROR that names none, a connection that was lost, messages there is no room for. */
  onError: ((error: DaemonError) => void) | undefined;
  /** Resolves when the client has ended for good, with the reason unless {@link close} was called. */
  readonly closed: Promise<DaemonError | undefined>;
  readonly #connection: RelayConnection;
  readonly #outbox: Outbox;
  readonly #feed: MessageFeed;
  readonly #calls: RelayCalls;
  readonly #replies = new PendingReplies();
  readonly #responses = new PendingReplies();
  readonly #responseCalls: RelayCalls;
  readonly #presence = new Presence();
  readonly #wishes = new StandingWishes();
  #isResumed = false;
  #markClosed: (error: DaemonError | undefined) => void = () => {};

  /** @internal */
  constructor(options: RelayClientOptions, platform: RelayPlatform) {
    const settings = relaySettings(options, platform);
    this.name = settings.name;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    const acknowledge = (message: RelayMessage): void => this.#acknowledge(message);
    const onError = (error: DaemonError): void => {
      settings.logger.warn({ agent: this.name, error }, "Relay client");
      this.onError?.(error);
    };
    this.#feed = new MessageFeed({ maxBytes: settings.maxBufferedBytes, acknowledge });
    this.#connection = new RelayConnection(settings, platform, {
      onReady: ({ server }, isResumed) => this.#ready(isResumed, settings.wantsReceipts && server.receipts === true),
      onEnvelope: (envelope) => inbound.receive(envelope),
      onFlushed: (count) => this.#outbox.onFlushed(count),
      onLost: (error) => {
        this.#lost(error);
        onError(error);
      },
      onClosed: (error) => this.#ended(error),
      onState: (state) => this.onState?.(state),
    });
    this.#outbox = new Outbox(this.#connection, {
      maxMessages: settings.maxQueued,
      maxBytes: settings.maxQueuedBytes,
    });
    this.#calls = new RelayCalls(this.#outbox, this.#replies);
    this.#responseCalls = new RelayCalls(this.#outbox, this.#responses);
    this.queries = new RelayQueries(this.#calls);
    this.workers = new RelayWorkers(this.#calls);
    const inbound = this.#newInbound(settings.logger, acknowledge, onError);
  }

  get state(): RelayState {
    return this.#connection.state;
  }

  /** The daemon's id of the session; it stays the same over a reconnect that was resumed. */
  get sessionId(): string | undefined {
    return this.#connection.welcome?.session_id;
  }

  /** Whether the present connection goes on with the session of the one before. */
  get isResumed(): boolean {
    return this.#isResumed;
  }

  /** Messages that wait for a connection. */
  get queuedMessages(): number {
    return this.#outbox.length;
  }

  /** Hears who comes, and who joins or leaves a channel this agent is in. */
  set onPresence(listener: ((event: RelayPresence) => void) | undefined) {
    this.#presence.onPresence = listener;
  }

  get onPresence(): ((event: RelayPresence) => void) | undefined {
    return this.#presence.onPresence;
  }

  /**
   * Connects: one attempt. Later losses are this class's own affair.
   *
   * Rejects with CONNECTION_FAILED, CONNECT_TIMEOUT, AUTH_REJECTED, CONNECTION_LOST with the daemon's reason (a name it does
   * not take), or the reason of `signal`; after a failure that was not final it may be called again.
   */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void> {
    return this.#connection.connect(options?.signal);
  }

  /** Ends for good, in 0.1 s: sends what was written and BYE. What waits for a connection or an answer rejects with CONNECTION_CLOSED. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Messages to this agent, in order per sender, each once. For one consumer at a time; leaving the loop leaves what waits to
   * the next one. A message is acknowledged when the next is asked for or the loop is left, so that one whose handling dies
   * with the process is delivered again to its successor. Ends with the client; after a fatal refusal it throws the reason.
   *
   * @param options.signal ends the iteration without an error
   */
  messages(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<RelayMessage> {
    return this.#feed.consume(options?.signal);
  }

  /** Sends to an agent or user, or to all of them (`*`, `@users`). Resolves with what became of it, also when it was refused. */
  send(to: string, body: string, options?: MessageOptions): Promise<SendReceipt> {
    return this.#outbox.submit(sendEnvelope(newId(), body, { ...options, to }), options?.signal);
  }

  /** Sends to all who subscribed to the topic, except this client. */
  publish(topic: string, body: string, options?: MessageOptions): Promise<SendReceipt> {
    return this.#outbox.submit(sendEnvelope(newId(), body, { ...options, to: "*", topic }), options?.signal);
  }

  /** Sends, and waits until the addressee has called `answer`. Rejects with RECIPIENT_NOT_FOUND, REQUEST_TIMEOUT, CONNECTION_LOST, … */
  sendAndWait(to: string, body: string, options: ExchangeOptions = {}): Promise<AckPayload> {
    const { timeoutMs = LIMITS.requestTimeoutMs, signal } = options;
    const id = newId();
    const meta: SendMeta = { sync: { correlationId: id, timeoutMs, blocking: true } };
    const envelope = sendEnvelope(id, body, { ...options, to }, meta);
    const wait = { what: `The answer of ${to}`, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    return this.#calls.exchange<AckPayload>(envelope, wait);
  }

  /** Answers somebody who waits in `sendAndWait`. False: nobody waits for this message, or there is no connection now. */
  answer(message: RelayMessage, answer: Pick<AckPayload, "response" | "responseData"> = { response: "OK" }): boolean {
    if (message.answerId === undefined || !this.#connection.isReady) return false;
    const ack = { ack_id: message.id, seq: message.seq, correlationId: message.answerId, ...answer };
    this.#connection.write(createEnvelope("ACK", ack));
    return true;
  }

  /** Asks another agent, and waits for its message in return. The wait goes on over a reconnect. Default time-out 30 s. */
  request(to: string, body: string, options: ExchangeOptions = {}): Promise<RelayMessage> {
    const { timeoutMs = LIMITS.requestTimeoutMs, signal } = options;
    const id = newId();
    // Twice, because older clients look in either place (docs/wire/relay.md#sdk-client).
    const data = { ...options.data, _correlationId: id };
    const envelope = sendEnvelope(id, body, { ...options, to, data }, { replyTo: id });
    const wait = {
      what: `The response of ${to}`,
      timeoutMs,
      survivesLoss: true,
      ...(signal === undefined ? {} : { signal }),
    };
    return this.#responseCalls.exchange<RelayMessage>(envelope, wait);
  }

  /** Sends to a message's author, in its thread; ends the wait of one who called `request`. */
  respond(message: RelayMessage, body: string, options: MessageOptions = {}): Promise<SendReceipt> {
    const { requestId, thread, from: to } = message;
    const inThread = { ...(thread === undefined ? {} : { thread }), ...options, to };
    if (requestId === undefined) return this.#outbox.submit(sendEnvelope(newId(), body, inThread), options.signal);
    const data = { ...options.data, _correlationId: requestId, _isResponse: true };
    const envelope = sendEnvelope(newId(), body, { ...inThread, data }, { replyTo: requestId });
    return this.#outbox.submit(envelope, options.signal);
  }

  /** Wants the messages of a topic, now and after each reconnect. */
  subscribe(topic: string): void {
    this.#wish(this.#wishes.subscribe(topic));
  }

  unsubscribe(topic: string): void {
    this.#wish(this.#wishes.unsubscribe(topic));
  }

  /** Joins a channel, now and after each reconnect. Everybody is in `#general`. */
  joinChannel(channel: string, options?: Pick<ChannelJoinPayload, "displayName" | "avatarUrl">): void {
    this.#wish(this.#wishes.join({ channel, ...options }));
  }

  leaveChannel(channel: string, reason?: string): void {
    this.#wish(this.#wishes.leave(channel, reason));
  }

  /** Posts to the other members who are connected: channel messages are not stored for those who are not. */
  post(channel: string, body: string, { signal, ...rest }: PostOptions = {}): Promise<SendReceipt> {
    return this.#outbox.submit(createEnvelope("CHANNEL_MESSAGE", { channel, body, ...rest }), signal);
  }

  /** Adds another name to a channel, which it need not know of. */
  async addToChannel(channel: string, member: string): Promise<void> {
    await this.#outbox.submit(createEnvelope("CHANNEL_JOIN", { channel, member }));
  }

  /** Removes another name from a channel. */
  async removeFromChannel(channel: string, member: string): Promise<void> {
    await this.#outbox.submit(createEnvelope("CHANNEL_LEAVE", { channel, member }));
  }

  /** Gets copies of what another agent sends and receives, now and after each reconnect. One agent at a time. */
  shadow(primaryAgent: string, options?: Omit<ShadowBindPayload, "primaryAgent">): void {
    this.#wish(this.#wishes.shadow({ primaryAgent, ...options }));
  }

  unshadow(primaryAgent: string): void {
    this.#wish(this.#wishes.unshadow(primaryAgent));
  }

  /** Tells the daemon a line of this agent's output. */
  async log(data: string): Promise<void> {
    await this.#outbox.submit(createEnvelope("LOG", { data }));
  }

  /** Resolves once an agent of that name is connected. Default time-out 60 s. */
  waitForAgent(name: string, options?: ReplyOptions): Promise<void> {
    const isThere = async () => (await this.queries.connectedAgents(options)).some((agent) => agent.name === name);
    return this.#presence.waitFor(name, isThere, { timeoutMs: LIMITS.relaySpawnMs, ...options });
  }

  /** Said again at each reconnect, so what cannot be said now needs no queue. */
  #wish(envelope: Envelope<unknown>): void {
    if (this.#connection.isReady) this.#connection.write(envelope);
  }

  #acknowledge({ id, seq, route }: RelayMessage): void {
    if (route !== "channel") this.#connection.acknowledge(id, seq);
  }

  #ready(isResumed: boolean, givesReceipts: boolean): void {
    this.#isResumed = isResumed;
    for (const wish of this.#wishes.all()) this.#connection.write(wish);
    this.#outbox.onReady(givesReceipts);
  }

  #lost(error: DaemonError): void {
    this.#outbox.onLost(error);
    this.#replies.linkLost(error);
  }

  #ended(error: DaemonError | undefined): void {
    const reason = error ?? clientClosed();
    this.#outbox.close(reason);
    this.#replies.failAll(reason);
    this.#responses.failAll(reason);
    this.#feed.end(error);
    this.#markClosed(error);
  }

  #newInbound(
    logger: Logger,
    acknowledge: (message: RelayMessage) => void,
    onError: (error: DaemonError) => void,
  ): RelayInbound {
    return new RelayInbound({
      feed: this.#feed,
      outbox: this.#outbox,
      replies: this.#replies,
      responses: this.#responses,
      presence: this.#presence,
      logger,
      acknowledge,
      onError,
    });
  }
}
