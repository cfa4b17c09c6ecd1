import { type DaemonError, LIMITS, type Logger, newId } from "@daemon-sdk/protocol";
import {
  type AckPayload,
  type ChannelJoinPayload,
  createEnvelope,
  type Envelope,
  type JsonBody,
  type SendMeta,
  type ShadowBindPayload,
} from "@daemon-sdk/protocol/relay";
import {
  clientClosed,
  type RelayClientOptions,
  RelayConnection,
  type RelayPlatform,
  type RelayState,
  relaySettings,
} from "./connection/index.js";
import { Presence, type RelayPresence } from "./presence.js";
import { MessageFeed, type RelayMessage } from "./receiving/index.js";
import { RelayInbound } from "./relay-inbound.js";
import {
  type ExchangeOptions,
  type MessageOptions,
  Outbox,
  PendingReplies,
  type PostOptions,
  RelayCalls,
  RelayQueries,
  RelayWorkers,
  type ReplyOptions,
  type SendReceipt,
  sendEnvelope,
} from "./sending/index.js";
import { Subscriptions } from "./subscriptions.js";

/**
 * One agent or user on the relay: sends and receives messages, joins channels, sends and answers requests, starts other agents.
 *
 * Reconnects by itself after a loss, resumes its session where the daemon has kept it, and renews its subscriptions. Messages
 * that are sent meanwhile wait, within bounds. {@link messages} yields each message once, though the daemon redelivers it until
 * it is acknowledged, which happens when the consumer has handled it.
 *
 * The entry points export a subclass with the platform filled in: `new RelayClient(options)`.
 */
export class RelayAgent implements AsyncDisposable {
  /** Queries to the daemon: status, inbox, agents, … */
  readonly queries: RelayQueries;
  /** Starts and ends other agents by the daemon. */
  readonly workers: RelayWorkers;
  /** As given in the options. */
  readonly name: string;
  /** Called on each change of {@link state}. */
  onState: ((state: RelayState) => void) | undefined;
  /** Called with failures that belong to no call: an ERROR that names none, a lost connection, messages without room. */
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
  readonly #subscriptions = new Subscriptions();
  readonly #presence = new Presence(this);
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

  /** The daemon's id of the session; the same after a reconnect that resumed it. */
  get sessionId(): string | undefined {
    return this.#connection.welcome?.session_id;
  }

  /** Whether the present connection has resumed the session of the one before. */
  get isResumed(): boolean {
    return this.#isResumed;
  }

  /** Messages that wait for a connection. */
  get queuedMessages(): number {
    return this.#outbox.length;
  }

  /** Called when a peer connects, leaves or ends, and when one joins or leaves a channel of this agent. */
  set onPresence(listener: ((event: RelayPresence) => void) | undefined) {
    this.#presence.onPresence = listener;
  }

  get onPresence(): ((event: RelayPresence) => void) | undefined {
    return this.#presence.onPresence;
  }

  /**
   * Connects: one attempt. After later losses the client reconnects by itself.
   *
   * Rejects with CONNECTION_FAILED, CONNECT_TIMEOUT, AUTH_REJECTED, CONNECTION_LOST with the daemon's reason (such as a name
   * that it refuses), or the reason of `signal`. After a failure that was not final it may be called again.
   */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void> {
    return this.#connection.connect(options?.signal);
  }

  /**
   * Ends the client within 0.1 s: sends what was written, then BYE. Calls that wait for a connection or an answer reject with
   * CONNECTION_CLOSED.
   */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Messages to this agent, in order per sender, each once. For one consumer at a time; after a consumer has ended its loop, the
   * next one gets the messages that wait. A message is acknowledged when the next one is requested or the loop ends, so that a
   * message whose handling ends with the process is redelivered. Ends with the client; after a fatal refusal it throws the
   * reason.
   *
   * @param options.signal ends the iteration without an error
   */
  messages(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<RelayMessage> {
    return this.#feed.consume(options?.signal);
  }

  /**
   * Sends to an agent or user, or to all of them (`*`, `@users`). The body is a text, or any other JSON value. Resolves with the
   * outcome, also with a refusal.
   */
  send(to: string, body: JsonBody, options?: MessageOptions): Promise<SendReceipt> {
    return this.#outbox.submit(sendEnvelope(newId(), body, { ...options, to }), options?.signal);
  }

  /** Sends to all subscribers of the topic, except this client. */
  publish(topic: string, body: JsonBody, options?: MessageOptions): Promise<SendReceipt> {
    return this.#outbox.submit(sendEnvelope(newId(), body, { ...options, to: "*", topic }), options?.signal);
  }

  /**
   * Sends, and waits until the addressee has called `answer`. Rejects with RECIPIENT_NOT_FOUND, REQUEST_TIMEOUT, CONNECTION_LOST,
   * …
   */
  sendAndWait(to: string, body: JsonBody, options: ExchangeOptions = {}): Promise<AckPayload> {
    const { timeoutMs = LIMITS.requestTimeoutMs, signal } = options;
    const id = newId();
    const meta: SendMeta = { sync: { correlationId: id, timeoutMs, blocking: true } };
    const envelope = sendEnvelope(id, body, { ...options, to }, meta);
    const wait = { what: `The answer of ${to}`, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    return this.#calls.exchange<AckPayload>(envelope, wait);
  }

  /** Answers a sender that waits in `sendAndWait`. False when the sender does not wait, or there is no connection now. */
  answer(message: RelayMessage, answer: Pick<AckPayload, "response" | "responseData"> = { response: "OK" }): boolean {
    if (message.answerId === undefined || !this.#connection.isReady) return false;
    const ack = { ack_id: message.id, seq: message.seq, correlationId: message.answerId, ...answer };
    this.#connection.write(createEnvelope("ACK", ack));
    return true;
  }

  /** Sends a request to another agent and waits for its response. The wait survives a reconnect. Default time-out 30 s. */
  request(to: string, body: JsonBody, options: ExchangeOptions = {}): Promise<RelayMessage> {
    const { timeoutMs = LIMITS.requestTimeoutMs, signal } = options;
    const id = newId();
    // Twice, because older clients read either place (docs/wire/relay.md#sdk-client).
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

  /** Sends to the sender of a message, in its thread. Ends the wait of a sender that called `request`. */
  respond(message: RelayMessage, body: JsonBody, options: MessageOptions = {}): Promise<SendReceipt> {
    const { requestId, thread, from: to } = message;
    const inThread = { ...(thread === undefined ? {} : { thread }), ...options, to };
    if (requestId === undefined) return this.#outbox.submit(sendEnvelope(newId(), body, inThread), options.signal);
    const data = { ...options.data, _correlationId: requestId, _isResponse: true };
    const envelope = sendEnvelope(newId(), body, { ...inThread, data }, { replyTo: requestId });
    return this.#outbox.submit(envelope, options.signal);
  }

  /** Subscribes to a topic, now and after each reconnect. */
  subscribe(topic: string): void {
    this.#subscribe(this.#subscriptions.subscribe(topic));
  }

  unsubscribe(topic: string): void {
    this.#subscribe(this.#subscriptions.unsubscribe(topic));
  }

  /** Joins a channel, now and after each reconnect. Everybody is in `#general`. */
  joinChannel(channel: string, options?: Pick<ChannelJoinPayload, "displayName" | "avatarUrl">): void {
    this.#subscribe(this.#subscriptions.join({ channel, ...options }));
  }

  leaveChannel(channel: string, reason?: string): void {
    this.#subscribe(this.#subscriptions.leave(channel, reason));
  }

  /** Posts to the other members who are connected: channel messages are not stored for those who are not. */
  post(channel: string, body: JsonBody, { signal, ...rest }: PostOptions = {}): Promise<SendReceipt> {
    return this.#outbox.submit(createEnvelope("CHANNEL_MESSAGE", { channel, body, ...rest }), signal);
  }

  /** Adds another name to a channel, without its consent. */
  async addToChannel(channel: string, member: string): Promise<void> {
    await this.#outbox.submit(createEnvelope("CHANNEL_JOIN", { channel, member }));
  }

  /** Removes another name from a channel. */
  async removeFromChannel(channel: string, member: string): Promise<void> {
    await this.#outbox.submit(createEnvelope("CHANNEL_LEAVE", { channel, member }));
  }

  /** Receives copies of what another agent sends and receives, now and after each reconnect. One agent at a time. */
  shadow(primaryAgent: string, options?: Omit<ShadowBindPayload, "primaryAgent">): void {
    this.#subscribe(this.#subscriptions.shadow({ primaryAgent, ...options }));
  }

  unshadow(primaryAgent: string): void {
    this.#subscribe(this.#subscriptions.unshadow(primaryAgent));
  }

  /** Sends a line of this agent's output to the daemon's log. */
  async log(data: string): Promise<void> {
    await this.#outbox.submit(createEnvelope("LOG", { data }));
  }

  /** Resolves once an agent of that name is connected. Default time-out 60 s. */
  waitForAgent(name: string, options?: ReplyOptions): Promise<void> {
    const isThere = async () => (await this.queries.connectedAgents(options)).some((agent) => agent.name === name);
    return this.#presence.waitFor(name, isThere, { timeoutMs: LIMITS.relaySpawnMs, ...options });
  }

  /** Subscriptions are sent after each WELCOME, so one made without a connection needs no queue. */
  #subscribe(envelope: Envelope<unknown>): void {
    if (this.#connection.isReady) this.#connection.write(envelope);
  }

  #acknowledge({ id, seq, route }: RelayMessage): void {
    if (route !== "channel") this.#connection.acknowledge(id, seq);
  }

  #ready(isResumed: boolean, givesReceipts: boolean): void {
    this.#isResumed = isResumed;
    for (const subscription of this.#subscriptions.all()) this.#connection.write(subscription);
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
