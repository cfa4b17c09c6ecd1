import type { Socket } from "node:net";
import type { Logger } from "@daemon-sdk/protocol";

/** One socket that has not authenticated. */
export interface Guest {
  /** `performance.now()` when it was accepted: the clock of every deadline that starts there. */
  readonly acceptedAt: number;
  /** It sent its first byte: silent ones are cut before it. */
  spoke(): void;
  /** Its upgrade is complete; whoever took it over watches the time from here on. */
  upgraded(): void;
  /** It proved who it is: it counts no more. */
  authenticated(): void;
}

/**
 * Where sockets wait until they have authenticated. Bounds how long (accept to upgrade) and how many.
 *
 * Node's own header time-out does not run on an HTTP server that is fed by hand, so one timer per socket of ours does it.
 * When the room is full the oldest socket that has said nothing is cut, else the oldest: a flood pushes out itself first.
 */
export class WaitingRoom {
  readonly #options: { capacity: number; timeoutMs: number; logger: Logger };
  /** Both in order of arrival. */
  readonly #silent = new Set<Socket>();
  readonly #speaking = new Set<Socket>();
  /** Sockets that no connection has taken over; ours to destroy when the listener closes. */
  readonly #timers = new Map<Socket, NodeJS.Timeout>();

  constructor(options: { capacity: number; timeoutMs: number; logger: Logger }) {
    this.#options = options;
  }

  admit(socket: Socket): Guest {
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
      upgraded: () => this.#stopTimer(socket),
      authenticated: () => this.#forget(socket),
    };
  }

  /** Destroys every socket that nobody has taken over. */
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
