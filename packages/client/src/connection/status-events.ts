import type { ConnectionError } from "@daemon-sdk/protocol";

/**
 * A change in a connection's life.
 *
 * `reconnecting`: the link was lost or the last attempt failed, as `error` tells; attempt number `attempt` (from 1) begins in
 * `delayMs`. `connected` follows when one succeeds. `disconnected` is the end; without an error this side closed it.
 */
export type ConnectionStatus =
  | { type: "connected" }
  | { type: "reconnecting"; attempt: number; delayMs: number; error: Error }
  | { type: "disconnected"; error?: ConnectionError };

/** Tells each change of status to the listeners and to the callback, in order; `disconnected` is the last. */
export class StatusEvents {
  readonly #onStatus: ((status: ConnectionStatus) => void) | undefined;
  readonly #onError: (error: Error) => void;
  readonly #listeners = new Set<(status: ConnectionStatus) => void>();
  #last: ConnectionStatus | undefined;

  /** @param onError told of what the callback throws */
  constructor(onStatus: ((status: ConnectionStatus) => void) | undefined, onError: (error: Error) => void) {
    this.#onStatus = onStatus;
    this.#onError = onError;
  }

  /** The last change that was told. */
  get last(): ConnectionStatus | undefined {
    return this.#last;
  }

  /** Tells a change; nothing after `disconnected`. */
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

  /** Calls back after each change, for parts of this package; the returned function stops it. */
  listen(listener: (status: ConnectionStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
