import {
  abortable,
  abortReason,
  CLIENT_LIMITS,
  type Clock,
  ConnectionError,
  DaemonError,
  type Logger,
  MachineType,
  ProtocolEngine,
  type Transport,
  type TransportClose,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { systemClock } from "../base/index.js";
import {
  type ConnectDaemonOptions,
  type ConnectionEvent,
  type ConnectionState,
  nextConnectionState,
  SharedTransportMultiplexer,
  StatusEvents,
} from "../connection/index.js";
import { authenticate } from "./authenticate.js";
import { sessionToken } from "./credential.js";
import type { DaemonIdentity } from "./daemon-identity.js";
import { type DialManner, openLink, type Platform } from "./open-link.js";

/** A link that the daemon has accepted. */
export interface AuthenticatedLink {
  readonly transport: Transport;
  readonly engine: ProtocolEngine;
  readonly identity: DaemonIdentity;
  /** Goes into `token` of the session calls. */
  readonly token: string;
  /** How the link ended; undefined until then. */
  readonly end: LinkEnd | undefined;
}

/** How a link ended. */
export interface LinkEnd {
  /** What pending and later calls on the link reject with. */
  readonly error: ConnectionError;
  readonly event: TransportClose;
}

/** When the next attempt at a link is made, and when no more is made; an object serves one {@link Connector.connect}. */
export interface RetryPolicy extends DialManner {
  /** Waits until the next attempt is due after `failure`. Rejects with the error to give up with. */
  wait(failure: Error): Promise<void>;
  /** Clears the timers; with `reason`, it also ends the present attempt. */
  stop(reason?: Error): void;
}

/** Keeps a connection linked after its first link. A page loads the code for it during the first dial. */
export interface LinkKeeper {
  /** Watches a link, from before the first call on it; the returned function ends the watch. */
  watch(link: AuthenticatedLink): () => void;
  /** The policy for the links after a lost one; undefined: the connection ends with that link. */
  retryAfter(end: LinkEnd): RetryPolicy | undefined;
}

/** Options of {@link Connector}. */
export interface ConnectorOptions {
  readonly options: ConnectDaemonOptions;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly onError: (error: Error) => void;
  /** Called when an attempt begins; awaited once the attempt's link is authenticated. */
  loadKeeper(): Promise<LinkKeeper>;
}

/**
 * Makes the links of one connection, the first and the later ones, and ends the connection. The only code that steps
 * `connection.machine.ts`; changes that matter outside are reported as status events, after the transition is complete.
 */
export class Connector {
  /** The sessions and calls of the connection, over all its links. */
  readonly multiplexer: SharedTransportMultiplexer;
  readonly status: StatusEvents;
  /** Resolves with the error that ended the connection, or with undefined when this side closed it. */
  readonly closed: Promise<ConnectionError | undefined>;
  readonly #options: ConnectorOptions;
  readonly #clock: Clock;
  #state: ConnectionState = "idle";
  #link: AuthenticatedLink | undefined;
  #keeper: LinkKeeper | undefined;
  #policy: RetryPolicy | undefined;
  #stopWatch: () => void = () => {};
  #stopTimer: () => void = () => {};
  #resolveClosed: (error: ConnectionError | undefined) => void = () => {};

  constructor(options: ConnectorOptions) {
    const { logger, onError } = options;
    const { clock, onStatus } = options.options;
    this.#options = options;
    this.#clock = clock ?? systemClock;
    this.status = new StatusEvents(onStatus, onError);
    this.multiplexer = new SharedTransportMultiplexer(undefined, {
      logger,
      isInboxOffered: () => this.#link?.identity.capabilities.inbox === true,
      ...withoutUndefined({ clock }),
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** The present link, else the last one. To be read only after a first one was authenticated. */
  get link(): AuthenticatedLink {
    return this.#link as AuthenticatedLink;
  }

  /**
   * Makes a link and attaches the sessions to it, attempt after attempt. Rejects with the error that `policy` gives up with; the
   * caller then has to {@link end} the connection.
   *
   * @param lost why there is no link any more; undefined for the first one, whose first attempt begins at once
   */
  async connect(policy: RetryPolicy, lost?: Error): Promise<void> {
    this.#policy = policy;
    for (let failure = lost; ; ) {
      if (failure !== undefined) await policy.wait(failure);
      throwIfAborted(policy.signal);
      this.#step("dial");
      try {
        await this.#attempt(policy);
        return;
      } catch (error) {
        if (policy.signal?.aborted === true) throw error;
        this.#step("lost");
        failure = error as Error;
      }
    }
  }

  /** Ends the connection in any state; resolves when the connection has ended. */
  async close(): Promise<void> {
    const error = new ConnectionError("CONNECTION_CLOSED", "close() ended the connection. Open a new one.");
    if (this.#state === "ready") {
      this.#stopWatch();
      this.#step("close");
      this.multiplexer.end(error);
      // On a half-open link the daemon does not answer.
      this.#stopTimer = this.#clock.setTimer(() => this.#closed(), CLIENT_LIMITS.closeGraceMs);
      this.link.engine.close(error);
    } else if (this.#state !== "closing") {
      this.end(error, false);
    }
    await this.closed;
  }

  /**
   * Ends the connection while no link is in use. Calls reject with `error` from then on.
   *
   * @param isFault whether `closed` and the status name `error` as what ended the connection
   */
  end(error: Error, isFault = true): void {
    if (this.#state === "closed") return;
    this.#step("close", isFault ? (error as ConnectionError) : undefined);
    this.#policy?.stop(error);
    this.multiplexer.end(error as ConnectionError);
    this.#link?.transport.terminate();
  }

  /** Makes one link and uses it. When this rejects, no link stays open. */
  async #attempt(policy: RetryPolicy): Promise<void> {
    // During the dial, so that it takes no time of its own. A failure to load matters only once there is a link.
    const loading = this.#options.loadKeeper();
    loading.catch(() => {});
    const link = await this.#open(policy);
    const { engine, token, identity } = link;
    this.#link = link;
    try {
      this.#keeper = await abortable(loading, policy.signal);
      this.#step("accepted");
      this.multiplexer.calls.use(engine);
      await this.multiplexer.reattach({ engine, token, capabilities: identity.capabilities });
      throwIfAborted(policy.signal);
    } catch (error) {
      link.transport.terminate();
      this.multiplexer.calls.suspend();
      throw error;
    }
    policy.stop();
    this.#use(link, this.#keeper);
  }

  /** Opens a link and authenticates on it. */
  async #open(manner: DialManner): Promise<AuthenticatedLink> {
    const { options, platform, logger } = this.#options;
    const { signal } = manner;
    const { transport, credential, endpoint } = await openLink(options, platform, logger, manner);
    if (signal?.aborted === true) transport.terminate();
    throwIfAborted(signal);
    const engine = new ProtocolEngine(transport, { prefix: "daemon", logger });
    engine.maxMessageBytes = CLIENT_LIMITS.sessionFrameBytes;
    const link = { transport, engine, token: sessionToken(credential), end: undefined as LinkEnd | undefined };
    engine.onClose = (error, event) => {
      link.end = { error, event };
      if (link === this.#link) this.#ended(link.end);
    };
    this.multiplexer.listen(engine);
    this.#step("opened");
    try {
      const machineType = options.machine?.type ?? MachineType.Local;
      const identity = await authenticate(engine, {
        credential,
        machineType,
        ...withoutUndefined({ endpoint, signal }),
      });
      const { maxMessageBytes = 0 } = identity.capabilities;
      if (maxMessageBytes > 0) engine.maxMessageBytes = maxMessageBytes;
      // The link may have ended between the answer and this line.
      if (link.end !== undefined) throw link.end.error;
      return Object.assign(link, { identity });
    } catch (error) {
      engine.close();
      if (signal?.aborted === true) transport.terminate();
      throw error;
    }
  }

  /** Sends calls on a link to which the sessions are attached. */
  #use(link: AuthenticatedLink, keeper: LinkKeeper): void {
    const { capabilities, instanceId } = link.identity;
    this.#stopWatch = keeper.watch(link);
    this.multiplexer.calls.open(capabilities.resume === true, instanceId);
    this.#step("attached");
    // The link may have ended while the sessions were attached to it.
    if (link.end !== undefined) this.#ended(link.end);
  }

  /** The present link has ended. In `attaching` the attempt rejects, or `#use` handles the end. */
  #ended(end: LinkEnd): void {
    if (this.#state === "ready") this.#lost(end);
    else if (this.#state === "closing") this.#closed();
    // close() no longer waited for this end.
    else if (this.#state === "closed") this.#stopTimer();
  }

  #lost(end: LinkEnd): void {
    this.#stopWatch();
    this.#step("lost");
    const policy = this.#keeper?.retryAfter(end);
    if (policy === undefined) this.end(end.error);
    else this.connect(policy, end.error).catch((error) => this.end(error as Error));
  }

  #closed(): void {
    if (this.#state !== "closing") return;
    this.#stopTimer();
    const { transport } = this.link;
    // A peer that still reads gets what was sent; close() does not wait for that.
    if (transport.bufferedBytes === 0) transport.terminate();
    else this.#stopTimer = this.#clock.setTimer(() => transport.terminate(), CLIENT_LIMITS.closeTimeoutMs);
    this.#step("ended");
  }

  /** The only place that writes the state. An event that has no meaning in the present state is a bug of ours. */
  #step(event: ConnectionEvent, error?: ConnectionError): void {
    const from = this.#state;
    const to = nextConnectionState(from, event);
    if (to === undefined) {
      throw new DaemonError("INTERNAL", `The connection cannot handle ${event} while ${from}. Please report it.`);
    }
    this.#options.logger.debug({ from, event, to }, "Connection state changed");
    this.#state = to;
    if (to === "ready") this.status.emit({ type: "connected" });
    if (to !== "closed") return;
    this.#resolveClosed(error);
    // A connection that never was ready has reported no status, and reports no end.
    if (this.status.last !== undefined) this.status.emit({ type: "disconnected", ...withoutUndefined({ error }) });
  }
}

/** Throws the reason of `signal` when that is aborted. */
function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortReason(signal);
}
