import { type Clock, CloseCode, ConnectionError, DaemonError, METHODS } from "@daemon-sdk/protocol";
import { idleClock, pause, reconnectDelayMs, systemClock } from "../base/index.js";
import { heartbeatTimes, type ReconnectOptions, reconnectLimits } from "../connection/index.js";
import { type AuthenticatedLink, Heartbeat, type LinkKeeper, type RetryPolicy } from "../link/index.js";
import { DaemonConnection, type DaemonConnectionParts } from "./daemon-connection.js";

/** A connection, and what keeps it linked. */
export interface KeptConnection extends LinkKeeper {
  readonly connection: DaemonConnection;
}

/** See {@link keepConnection}. */
export type KeepConnection = (parts: DaemonConnectionParts) => KeptConnection;

/**
 * Makes the connection that `connectDaemon` resolves with, and what keeps it linked.
 *
 * Sessions, streams and reconnecting are reached through this function only, and the code that makes a link does not import it.
 * So a page can dial and authenticate while it still loads this half of the client.
 */
export const keepConnection: KeepConnection = (parts) => {
  const limits = reconnectLimits(parts.options);
  return {
    connection: new DaemonConnection(parts),
    watch: (link) => watch(link, parts),
    retryAfter({ event: { code } }) {
      if (limits === undefined) return undefined;
      parts.connector.multiplexer.calls.suspend(code !== CloseCode.tooLarge);
      return new ReconnectPolicy({ ...parts, limits, start: code !== CloseCode.goingAway });
    },
  };
};

/** Starts the heartbeat of a link, unless the options turn it off. Calls wait while the link is in doubt. */
function watch(link: AuthenticatedLink, { connector, options, logger }: DaemonConnectionParts): () => void {
  const { calls } = connector.multiplexer;
  const times = heartbeatTimes(options);
  if (times === undefined) return () => {};
  const heartbeat = new Heartbeat({
    ...times,
    engine: link.engine,
    // A plain daemon has the second method, which changes nothing.
    probe: link.identity.capabilities.ping === true ? METHODS.ping : METHODS.listOpenedSessions,
    clock: options.clock ?? idleClock,
    logger,
    onAlive: () => calls.flush(),
    onDead: () => link.transport.terminate(),
  });
  calls.beforeCall = () => heartbeat.isTrusted();
  return () => heartbeat.stop();
}

interface ReconnectPolicyOptions extends DaemonConnectionParts {
  readonly limits: Required<ReconnectOptions>;
  /** Whether a local daemon may be started. */
  readonly start: boolean;
}

/** Attempts after a lost link: pauses that grow, until the attempts or the time since the loss are used up. */
class ReconnectPolicy implements RetryPolicy {
  readonly isOnce = true;
  readonly start: boolean;
  readonly signal: AbortSignal;
  readonly #options: ReconnectPolicyOptions;
  readonly #clock: Clock;
  readonly #search = new AbortController();
  #attempt = 0;
  /** The sessions' progress when the present count of attempts began; undefined before the first count. */
  #progress: number | undefined;
  #failure: Error | undefined;
  #stopTimer: () => void = () => {};

  constructor(options: ReconnectPolicyOptions) {
    this.#options = options;
    this.#clock = options.options.clock ?? systemClock;
    this.start = options.start;
    this.signal = this.#search.signal;
  }

  async wait(failure: Error): Promise<void> {
    const { connector, limits, logger } = this.#options;
    this.#failure = failure;
    if (this.#progress !== undefined) {
      logger.info({ attempt: this.#attempt, error: failure }, "Reconnecting failed");
      if (DaemonError.is(failure) && !failure.retryable) throw failure;
    }
    // A link on which entries arrived counts as a new loss, also if it broke before all sessions were attached: the sessions make
    // progress over short links, too.
    if (this.#progress !== connector.multiplexer.progress) this.#beginCount();
    if (this.#attempt >= limits.maxAttempts) throw this.#gaveUp(`${this.#attempt} attempts`);
    this.#attempt += 1;
    const delayMs = Math.round(reconnectDelayMs(this.#attempt - 1));
    const paused = pause(this.#clock, delayMs, this.signal);
    // Last, because a listener may close the connection.
    connector.status.emit({ type: "reconnecting", attempt: this.#attempt, delayMs, error: failure });
    return paused;
  }

  stop(reason?: Error): void {
    this.#stopTimer();
    if (reason !== undefined) this.#search.abort(reason);
  }

  #beginCount(): void {
    const { connector, limits } = this.#options;
    this.#progress = connector.multiplexer.progress;
    this.#attempt = 0;
    this.#stopTimer();
    // A timer, and not the clock: while a computer sleeps, it makes no attempt.
    const giveUp = () => connector.end(this.#gaveUp(`${limits.maxElapsedMs} ms`));
    this.#stopTimer = this.#clock.setTimer(giveUp, limits.maxElapsedMs);
  }

  #gaveUp(tried: string): ConnectionError {
    const cause = this.#failure as Error;
    return new ConnectionError(
      "CONNECTION_LOST",
      `The connection was lost and could not be restored within ${tried} (${this.#attempt} attempts): ${cause.message}`,
      { cause },
    );
  }
}
