import {
  CLIENT_LIMITS,
  type Clock,
  CloseCode,
  ConnectionError,
  DaemonError,
  type Logger,
  METHODS,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { idleClock, pause, reconnectDelayMs, systemClock } from "../base/index.js";
import type {
  ConnectionLifecycle,
  ReconnectOptions,
  SharedTransportMultiplexer,
  StatusEvents,
} from "../connection/index.js";
import { type AuthenticatedLink, Heartbeat, type HeartbeatTimes } from "../link/index.js";

/** How the next link is to be made. */
export interface LinkRequest {
  readonly signal: AbortSignal;
  /** Whether a local daemon may be started for it. */
  readonly start: boolean;
}

/** Options of {@link LinkKeeper}. */
export interface LinkKeeperOptions {
  readonly multiplexer: SharedTransportMultiplexer;
  readonly lifecycle: ConnectionLifecycle;
  readonly status: StatusEvents;
  readonly logger: Logger;
  readonly clock: Clock | undefined;
  /** Undefined: a lost link ends the connection. */
  readonly reconnect: Required<ReconnectOptions> | undefined;
  /** Undefined: a link is only lost when it says so. */
  readonly heartbeat: HeartbeatTimes | undefined;
  /** Makes a link anew: endpoint and credential are looked up again. */
  open(request: LinkRequest): Promise<AuthenticatedLink>;
}

/** Keeps one connection linked to its daemon until it is closed, or cannot be brought back. */
export class LinkKeeper {
  readonly #options: LinkKeeperOptions;
  readonly #clock: Clock;
  #link: AuthenticatedLink;
  #heartbeat: Heartbeat | undefined;
  /** Ends what is under way to bring the connection back. */
  #search: AbortController | undefined;
  #stopTimer: () => void = () => {};

  /** @param link the first one, which has just been accepted */
  constructor(options: LinkKeeperOptions, link: AuthenticatedLink) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#link = link;
  }

  /** The present link, else the last one. */
  get link(): AuthenticatedLink {
    return this.#link;
  }

  /** The present link is in use from now on. */
  start(): void {
    const { lifecycle, multiplexer } = this.#options;
    const { engine, identity, end } = this.#link;
    engine.onClose = (error, event) => this.#lost(error, event);
    this.#watch();
    multiplexer.calls.use(engine);
    multiplexer.calls.open(identity.capabilities.resume === true, identity.instanceId);
    lifecycle.step("attached");
    if (end !== undefined) this.#lost(end.error, end.event);
  }

  /** Ends the connection, in whatever state it is; resolves when that is done. */
  async close(): Promise<void> {
    const { lifecycle, multiplexer } = this.#options;
    const error = new ConnectionError("CONNECTION_CLOSED", "The connection was closed by close(). Open a new one.");
    if (lifecycle.state === "ready") {
      this.#heartbeat?.stop();
      lifecycle.step("close");
      multiplexer.end(error);
      // On a half-open link nobody answers.
      this.#stopTimer = this.#clock.setTimer(() => this.#closed(), CLIENT_LIMITS.closeGraceMs);
      this.#link.engine.close(error);
    } else if (lifecycle.state !== "closing") {
      this.#end(error, false);
    }
    await lifecycle.closed;
  }

  #closed(): void {
    const { lifecycle } = this.#options;
    if (lifecycle.state !== "closing") return;
    this.#stopTimer();
    const { terminate, bufferedBytes } = this.#link;
    // A peer that still reads gets what was sent; nobody waits for that.
    if (bufferedBytes > 0) this.#stopTimer = this.#clock.setTimer(terminate, CLIENT_LIMITS.closeTimeoutMs);
    else terminate();
    lifecycle.step("ended");
  }

  #lost(error: ConnectionError, { code }: TransportClose): void {
    const { lifecycle, multiplexer, reconnect } = this.#options;
    this.#heartbeat?.stop();
    // The end of a link that close() no longer waited for.
    if (lifecycle.state === "closed") {
      this.#stopTimer();
      return;
    }
    if (lifecycle.state === "closing") {
      this.#closed();
      return;
    }
    lifecycle.step("lost");
    if (reconnect === undefined) {
      this.#end(error);
      return;
    }
    multiplexer.calls.suspend(code !== CloseCode.tooLarge);
    void this.#comeBack(error, reconnect, code !== CloseCode.goingAway);
  }

  async #comeBack(lost: ConnectionError, policy: Required<ReconnectOptions>, start: boolean): Promise<void> {
    const { multiplexer, lifecycle, logger } = this.#options;
    const search = new AbortController();
    this.#search = search;
    let error: Error = lost;
    let attempt = 0;
    let progress: number | undefined;
    const giveUp = (tried: string) => this.#end(gaveUp(tried, attempt, error));
    while (!search.signal.aborted) {
      // A link that brought entries and broke before all sessions were attached is a new loss: short links get there, too.
      if (progress !== multiplexer.progress) {
        progress = multiplexer.progress;
        attempt = 0;
        this.#stopTimer();
        // A timer, and not the clock: a computer that sleeps meanwhile has not tried.
        this.#stopTimer = this.#clock.setTimer(() => giveUp(`${policy.maxElapsedMs} ms`), policy.maxElapsedMs);
      }
      if (attempt >= policy.maxAttempts) return giveUp(`${attempt} attempts`);
      attempt += 1;
      try {
        await this.#pause(attempt, error, search.signal);
        await this.#attempt({ signal: search.signal, start });
        return;
      } catch (cause) {
        if (search.signal.aborted) return;
        error = cause as Error;
        lifecycle.step("failed");
        logger.info({ attempt, error }, "Coming back failed");
        if (DaemonError.is(error) && !error.retryable) return this.#end(error);
      }
    }
  }

  /** Rejects when the search is over meanwhile. */
  #pause(attempt: number, error: Error, signal: AbortSignal): Promise<void> {
    const delayMs = Math.round(reconnectDelayMs(attempt - 1));
    const paused = pause(this.#clock, delayMs, signal);
    // Last, because who hears it may close the connection.
    this.#options.status.emit({ type: "reconnecting", attempt, delayMs, error });
    return paused;
  }

  async #attempt(request: LinkRequest): Promise<void> {
    const { lifecycle, multiplexer, open } = this.#options;
    const { signal } = request;
    lifecycle.step("retry");
    const link = await open(request);
    const { engine, token, terminate } = link;
    try {
      signal.throwIfAborted();
      lifecycle.step("accepted");
      this.#link = link;
      multiplexer.calls.use(engine);
      await multiplexer.reattach({ engine, token, capabilities: link.identity.capabilities });
      signal.throwIfAborted();
    } catch (error) {
      terminate();
      multiplexer.calls.suspend();
      throw error;
    }
    this.#stopTimer();
    this.#search = undefined;
    this.start();
  }

  #watch(): void {
    const { heartbeat, multiplexer, clock = idleClock, logger } = this.#options;
    const { calls } = multiplexer;
    calls.beforeCall = undefined;
    const { engine, identity, terminate } = this.#link;
    if (heartbeat === undefined) return;
    const watch = new Heartbeat({
      ...heartbeat,
      engine,
      // A plain daemon knows this one, and it changes nothing.
      probe: identity.capabilities.ping === true ? METHODS.ping : METHODS.listOpenedSessions,
      clock,
      logger,
      onAlive: () => calls.flush(),
      onDead: terminate,
    });
    this.#heartbeat = watch;
    calls.beforeCall = () => watch.isTrusted();
  }

  /** The end, while no link is in use. */
  #end(error: Error, isFault = true): void {
    const { lifecycle, multiplexer } = this.#options;
    if (lifecycle.state === "closed") return;
    this.#stopTimer();
    lifecycle.step("close", isFault ? (error as ConnectionError) : undefined);
    this.#search?.abort(error);
    multiplexer.end(error as ConnectionError);
    this.#link.terminate();
  }
}

function gaveUp(tried: string, attempts: number, cause: Error): ConnectionError {
  return new ConnectionError(
    "CONNECTION_LOST",
    `The connection was lost and could not be made again within ${tried} (${attempts} attempts): ${cause.message}`,
    { cause },
  );
}
