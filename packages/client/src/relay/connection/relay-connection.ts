import { abortReason, ConnectionError, DaemonError, LIMITS } from "@daemon-sdk/protocol";
import {
  createEnvelope,
  type Envelope,
  type HelloPayload,
  isEnvelopeOf,
  type WelcomePayload,
} from "@daemon-sdk/protocol/relay";
import { reconnectDelayMs } from "../../base/index.js";
import { nextRelayState, type RelayEvent, type RelayState } from "./relay.machine.js";
import { clientClosed, fatalError, linkLost } from "./relay-errors.js";
import { RelayLink } from "./relay-link.js";
import type { RelaySettings } from "./relay-options.js";
import type { RelayDialResult, RelayPlatform } from "./relay-platform.js";

/** Callbacks of a {@link RelayConnection}. Each is called after the transition is complete. */
export interface RelayConnectionEvents {
  /** `isResumed`: the daemon has resumed the session that this client had. */
  onReady(welcome: WelcomePayload, isResumed: boolean): void;
  /** Any envelope except those of handshake and heartbeat. */
  onEnvelope(envelope: Envelope): void;
  /** The next `count` of the counted texts have left this process. */
  onFlushed(count: number): void;
  /** A link that was ready was lost. The client reconnects unless `onClosed` follows. */
  onLost(error: ConnectionError): void;
  /** The client has ended; without an error when this side closed. */
  onClosed(error: ConnectionError | undefined): void;
  onState(state: RelayState): void;
}

/**
 * Keeps one name connected: dials, sends HELLO, answers pings, and reconnects with the resume token after a loss. Gives up
 * after a fatal ERROR. Only this class has the state.
 */
export class RelayConnection {
  readonly #settings: RelaySettings;
  readonly #platform: RelayPlatform;
  readonly #events: RelayConnectionEvents;
  #state: RelayState = "idle";
  #link: RelayLink | undefined;
  #welcome: WelcomePayload | undefined;
  #resumeToken: string | undefined;
  #attempts = 0;
  #readyAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #giveUp = new AbortController();
  #closed: Promise<void> | undefined;
  #markEnded: () => void = () => {};

  constructor(settings: RelaySettings, platform: RelayPlatform, events: RelayConnectionEvents) {
    this.#settings = settings;
    this.#platform = platform;
    this.#events = events;
  }

  get state(): RelayState {
    return this.#state;
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  get welcome(): WelcomePayload | undefined {
    return this.#welcome;
  }

  /** Bytes that have been written and have not left this process. */
  get bufferedBytes(): number {
    return this.#link?.bufferedBytes ?? 0;
  }

  /** The first connect: one attempt. Rejects when it fails. After a later loss this class reconnects by itself. */
  async connect(signal?: AbortSignal): Promise<void> {
    if (this.#state === "closed" || this.#state === "closing") throw clientClosed();
    if (this.#state !== "idle") return;
    this.#step("dial");
    try {
      await this.#attempt(signal);
    } catch (error) {
      if (this.#isConnecting()) this.#step("failed");
      throw error;
    }
  }

  /** Writes one envelope, with all others of this turn of the event loop. Only while {@link isReady}. */
  write(envelope: Envelope<unknown>): void {
    this.#link?.write(envelope);
  }

  /** As {@link write}, of JSON that exists already. With `isCounted`, `onFlushed` counts the text. */
  writeText(json: string, isCounted: boolean): void {
    this.#link?.writeText(json, isCounted);
  }

  /** Acknowledges a DELIVER. Does nothing without a connection: then the DELIVER is redelivered. */
  acknowledge(ackId: string, seq: number): void {
    if (this.isReady) this.#link?.acknowledge(ackId, seq);
  }

  /** Sends BYE after what was written, and ends. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#giveUp.abort(clientClosed());
    if (this.#state === "closed") return;
    const wasReady = this.#state === "ready";
    this.#step("close");
    if (!wasReady) {
      this.#link?.destroy();
      this.#events.onClosed(undefined);
      return;
    }
    const ended = new Promise<void>((resolve) => {
      this.#markEnded = resolve;
    });
    this.#link?.sendBye();
    await ended;
  }

  async #attempt(signal: AbortSignal | undefined): Promise<void> {
    const { connectTimeoutMs, dial } = this.#settings;
    const giveUp = this.#giveUp.signal;
    const whole = signal === undefined ? giveUp : AbortSignal.any([signal, giveUp]);
    const opened = await dial({ signal: whole, timeoutMs: connectTimeoutMs });
    if (whole.aborted) opened.link.destroy();
    whole.throwIfAborted();
    this.#step("opened");
    await this.#greet(opened, whole);
  }

  /** Resolves with the daemon's WELCOME. The frames after WELCOME are handled after `onReady`. */
  #greet({ link, credential }: RelayDialResult, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { connectTimeoutMs } = this.#settings;
      const settle = (error?: Error): void => {
        signal.removeEventListener("abort", onAbort);
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      const relayLink = new RelayLink(link, this.#platform, {
        onEnvelope: (envelope) => this.#receive(envelope, settle),
        onFlushed: (count) => this.#events.onFlushed(count),
        onEnded: (error) => settle(this.#ended(relayLink, error)),
      });
      const onAbort = (): void => relayLink.destroy(abortReason(signal));
      const timer = setTimeout(() => relayLink.destroy(noWelcome(connectTimeoutMs)), connectTimeoutMs);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#link = relayLink;
      relayLink.write(createEnvelope("HELLO", this.#hello(credential)));
      relayLink.flush();
    });
  }

  #hello(credential: RelayDialResult["credential"]): HelloPayload {
    const { name, entityType, identity, wantsReceipts, processCredential } = this.#settings;
    const token = this.#resumeToken;
    return {
      agent: name,
      capabilities: {
        ack: true,
        resume: true,
        max_inflight: 256,
        supports_topics: true,
        batches: true,
        ...(wantsReceipts ? { receipts: true } : {}),
      },
      ...(entityType === "user" ? { entityType } : {}),
      ...identity,
      process_credential: processCredential,
      ...(token === undefined ? {} : { session: { resume_token: token } }),
      ...credential,
    };
  }

  #receive(envelope: Envelope, settle: (error?: Error) => void): void {
    if (isEnvelopeOf(envelope, "ERROR")) {
      if (envelope.payload.code === "RESUME_TOO_OLD") this.#resumeToken = undefined;
      if (envelope.payload.fatal) {
        this.#refused(fatalError(envelope.payload), settle);
        return;
      }
    }
    if (this.#state === "ready") {
      this.#events.onEnvelope(envelope);
    } else if (this.#state === "greeting" && isEnvelopeOf(envelope, "WELCOME")) {
      this.#welcomed(envelope.payload);
      settle();
    }
  }

  #welcomed(welcome: WelcomePayload): void {
    const isResumed = this.#resumeToken !== undefined && welcome.session_id === this.#welcome?.session_id;
    this.#welcome = welcome;
    this.#resumeToken = welcome.resume_token;
    this.#readyAt = performance.now();
    this.#link?.keepAlive(welcome.server);
    this.#step("welcomed");
    this.#events.onReady(welcome, isResumed);
  }

  #refused(error: ConnectionError, settle: (error: Error) => void): void {
    const link = this.#link;
    this.#link = undefined;
    this.#step("refused");
    link?.end();
    settle(error);
    this.#events.onClosed(error);
  }

  /** Handles the end of a link, and returns its error. */
  #ended(link: RelayLink, cause: Error | undefined): Error {
    // If this side destroyed the link, its reason has more detail than the end of the link.
    const error = DaemonError.is(cause) ? cause : linkLost(cause);
    if (this.#link !== link) return error;
    this.#link = undefined;
    if (this.#state === "closing") {
      this.#step("ended");
      this.#events.onClosed(undefined);
      this.#markEnded();
    } else if (this.#state === "ready") {
      this.#lost(linkLost(cause));
    }
    return error;
  }

  #lost(error: ConnectionError): void {
    if (performance.now() - this.#readyAt >= LIMITS.relayStableMs) this.#attempts = 0;
    this.#step("lost");
    this.#events.onLost(error);
    this.#reconnectLater(error);
  }

  #reconnectLater(error: ConnectionError): void {
    if (this.#state !== "waiting") return;
    if (this.#attempts >= this.#settings.maxAttempts) {
      this.#step("close");
      this.#events.onClosed(error);
      return;
    }
    const delayMs = reconnectDelayMs(this.#attempts);
    this.#attempts += 1;
    this.#settings.logger.info({ agent: this.#settings.name, delayMs, error }, "Relay connection lost; reconnecting");
    this.#retry = setTimeout(() => void this.#reconnect(), delayMs);
  }

  async #reconnect(): Promise<void> {
    this.#step("retry");
    try {
      await this.#attempt(undefined);
    } catch (cause) {
      // Refused, or closed meanwhile: `onClosed` was called.
      if (!this.#isConnecting()) return;
      this.#step("lost");
      this.#reconnectLater(linkLost(cause instanceof Error ? cause : undefined));
    }
  }

  #isConnecting(): boolean {
    return this.#state === "dialing" || this.#state === "greeting";
  }

  #step(event: RelayEvent): void {
    const from = this.#state;
    const next = nextRelayState(from, event);
    if (next === undefined) {
      throw new DaemonError("INTERNAL", `The relay client cannot handle ${event} while ${from}; please report this.`);
    }
    this.#settings.logger.debug({ agent: this.#settings.name, from, event, to: next }, "Relay client state changed");
    this.#state = next;
    this.#events.onState(next);
  }
}

function noWelcome(timeoutMs: number): ConnectionError {
  return new ConnectionError("CONNECT_TIMEOUT", `The relay sent no WELCOME within ${timeoutMs} ms.`);
}
