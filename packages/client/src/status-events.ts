import type { ConnectionError } from "@daemon-sdk/protocol";
import { approximateBytes, EventQueue } from "./event-queue.js";

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

/** Tells each change of status to the callback and to every iterator, in order; ends them with `disconnected`. */
export class StatusEvents {
  readonly #onStatus: ((status: ConnectionStatus) => void) | undefined;
  readonly #onError: (error: Error) => void;
  readonly #queues = new Set<EventQueue<ConnectionStatus>>();
  readonly #listeners = new Set<() => void>();
  #last: ConnectionStatus | undefined;

  /** @param onError told of what the callback throws */
  constructor(onStatus: ((status: ConnectionStatus) => void) | undefined, onError: (error: Error) => void) {
    this.#onStatus = onStatus;
    this.#onError = onError;
  }

  /** Tells a change; nothing after `disconnected`. */
  emit(status: ConnectionStatus): void {
    if (this.#last?.type === "disconnected") return;
    this.#last = status;
    for (const queue of [...this.#queues]) {
      queue.push(status);
      if (status.type === "disconnected") queue.end();
    }
    for (const listener of [...this.#listeners]) listener();
    try {
      this.#onStatus?.(status);
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  /** Calls back after each change, for parts of this package; the returned function stops it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The present status first, then every change; ends after `disconnected`. Each call gives its own iterator. */
  iterate(): AsyncIterableIterator<ConnectionStatus> {
    const queue = new EventQueue<ConnectionStatus>({ sizeOf: approximateBytes });
    this.#queues.add(queue);
    if (this.#last !== undefined) queue.push(this.#last);
    if (this.#last?.type === "disconnected") queue.end();
    const leave = (): Promise<IteratorResult<ConnectionStatus, undefined>> => {
      this.#queues.delete(queue);
      queue.discard();
      return Promise.resolve({ value: undefined, done: true });
    };
    return {
      next: () => queue.next(),
      return: leave,
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
