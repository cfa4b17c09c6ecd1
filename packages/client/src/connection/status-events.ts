import type { ConnectionError } from "@daemon-sdk/protocol";

/**
 * A change of a connection's state.
 *
 * `reconnecting`: the link was lost or the last attempt failed, with `error`; attempt number `attempt` (from 1) begins in
 * `delayMs`. `connected`: a link is in use, the first one or a new one. `disconnected`: the connection has ended; without an
 * `error`, this side closed it.
 */
export type ConnectionStatus =
  | { type: "connected" }
  | { type: "reconnecting"; attempt: number; delayMs: number; error: Error }
  | { type: "disconnected"; error?: ConnectionError };

/** Reports each change of status to the listeners, then to the callback, in order. `disconnected` is the last one. */
export class StatusEvents {
  readonly #onStatus: ((status: ConnectionStatus) => void) | undefined;
  readonly #onError: (error: Error) => void;
  readonly #listeners = new Set<(status: ConnectionStatus) => void>();
  #last: ConnectionStatus | undefined;

  /** @param onError called with what the callback throws */
  constructor(onStatus: ((status: ConnectionStatus) => void) | undefined, onError: (error: Error) => void) {
    this.#onStatus = onStatus;
    this.#onError = onError;
  }

  /** The last change that was reported; undefined before the first. */
  get last(): ConnectionStatus | undefined {
    return this.#last;
  }

  /** Reports a change; does nothing after `disconnected`. */
  emit(status: ConnectionStatus): void {
    if (this.#last?.type === "disconnected") return;
    this.#last = status;
    for (const listener of [...this.#listeners]) listener(status);
    try {
      this.#onStatus?.(status);
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  /** Adds a listener, for parts of this package; the returned function removes it. */
  listen(listener: (status: ConnectionStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
