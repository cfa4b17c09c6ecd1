import { type ConnectionError, DaemonError, type Logger } from "@daemon-sdk/protocol";
import { given } from "../base/index.js";
import { type ConnectionEvent, type ConnectionState, nextConnectionState } from "./connection.machine.js";
import type { StatusEvents } from "./status-events.js";

/**
 * Drives `connection.machine.ts` for one connection: holds its state, logs each transition, and tells the ones that the outside
 * cares about as status events, after the transition is complete.
 */
export class ConnectionLifecycle {
  /** Resolves with the error that ended the connection, or undefined when this side closed it. */
  readonly closed: Promise<ConnectionError | undefined>;
  readonly #status: StatusEvents;
  readonly #logger: Logger;
  #state: ConnectionState = "idle";
  /** Whether anybody was ever told that it is connected. */
  #wasReady = false;
  #resolveClosed: (error: ConnectionError | undefined) => void = () => {};

  constructor(status: StatusEvents, logger: Logger) {
    this.#status = status;
    this.#logger = logger;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Where the connection is. */
  get state(): ConnectionState {
    return this.#state;
  }

  /**
   * Takes one step; `error` is what ended the connection, for the step to `closed`. An event that has no meaning in the present state is a bug of ours. The only place that writes
   * the state.
   */
  step(event: ConnectionEvent, error?: ConnectionError): void {
    const next = nextConnectionState(this.#state, event);
    if (next === undefined) {
      throw new DaemonError(
        "INTERNAL",
        `The connection cannot take ${event} while ${this.#state}; please report this.`,
      );
    }
    this.#logger.debug({ from: this.#state, event, to: next }, "Connection state changed");
    this.#state = next;
    if (next === "ready") {
      this.#wasReady = true;
      this.#status.emit({ type: "connected" });
    }
    if (next !== "closed") return;
    this.#resolveClosed(error);
    if (this.#wasReady) this.#status.emit({ type: "disconnected", ...given({ error }) });
  }
}
