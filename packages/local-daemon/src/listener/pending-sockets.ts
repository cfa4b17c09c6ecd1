import type { Socket } from "node:net";
import type { Logger } from "@daemon-sdk/protocol";

/** One socket that has not authenticated. */
export interface PendingSocket {
  /** `performance.now()` when it was accepted: the clock of every deadline that starts there. */
  readonly acceptedAt: number;
  /** The socket has sent its first byte. Silent sockets are cut before it. */
  spoke(): void;
  /** Gives a request that needs no credential, such as one for a file, another time from now on. */
  extend(timeoutMs: number): void;
  /** Marks the upgrade as complete: the connection has the deadline from here on. */
  upgraded(): void;
  /** Marks the peer as authenticated: the socket no longer counts. */
  authenticated(): void;
}

/**
 * The sockets that have not authenticated. Bounds their number, and the time from accept to upgrade.
 *
 * Node's own header time-out does not run on an HTTP server that is fed by hand, so each socket has a timer here. When the
 * room is full, the oldest silent socket is cut, else the oldest: a flood displaces its own sockets first.
 */
export class PendingSockets {
  readonly #options: { capacity: number; timeoutMs: number; logger: Logger };
  /** Both in order of arrival. */
  readonly #silent = new Set<Socket>();
  readonly #speaking = new Set<Socket>();
  /** Sockets that no connection has taken over; destroyed when the listener closes. */
  readonly #timers = new Map<Socket, NodeJS.Timeout>();

  constructor(options: { capacity: number; timeoutMs: number; logger: Logger }) {
    this.#options = options;
  }

  admit(socket: Socket): PendingSocket {
    if (this.#silent.size + this.#speaking.size >= this.#options.capacity) this.#cutOldest();
    this.#silent.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#options.timeoutMs);
    this.#timers.set(socket, timer);
    socket.once("close", () => {
      this.#forget(socket);
      this.#stopTimer(socket);
    });
    return {
      acceptedAt: performance.now(),
      spoke: () => {
        if (this.#silent.delete(socket)) this.#speaking.add(socket);
      },
      extend: (timeoutMs) => {
        this.#stopTimer(socket);
        if (!socket.destroyed)
          this.#timers.set(
            socket,
            setTimeout(() => socket.destroy(), timeoutMs),
          );
      },
      upgraded: () => this.#stopTimer(socket),
      authenticated: () => this.#forget(socket),
    };
  }

  /** Destroys every socket that no connection has taken over. */
  clear(): void {
    for (const socket of this.#timers.keys()) socket.destroy();
  }

  #cutOldest(): void {
    const oldest = first(this.#silent) ?? first(this.#speaking);
    if (oldest === undefined) return;
    this.#options.logger.warn({ capacity: this.#options.capacity }, "too many unauthenticated sockets: cut the oldest");
    this.#forget(oldest);
    oldest.destroy();
  }

  #forget(socket: Socket): void {
    this.#silent.delete(socket);
    this.#speaking.delete(socket);
  }

  #stopTimer(socket: Socket): void {
    clearTimeout(this.#timers.get(socket));
    this.#timers.delete(socket);
  }
}

function first<Value>(values: Iterable<Value>): Value | undefined {
  for (const value of values) return value;
  return undefined;
}
