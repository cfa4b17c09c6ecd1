import type { EventEmitter } from "node:events";
import type { Daemon } from "../server.js";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Ends a daemon when the process is told to end. First signal: running turns may finish for a while. Second: they end now.
 *
 * Made before the daemon is: a signal that comes while it starts ends it as soon as it has started, so that nothing half
 * published stays. Signals have their usual effect again after disposal.
 */
export class ClosingSignals implements Disposable {
  readonly #source: Pick<EventEmitter, "on" | "off">;
  #daemon: Pick<Daemon, "close"> | undefined;
  #received = 0;
  readonly #onSignal = () => {
    this.#received += 1;
    this.#close();
  };

  /** @param source what emits the signals; default this process */
  constructor(source: Pick<EventEmitter, "on" | "off"> = process) {
    this.#source = source;
    for (const signal of SIGNALS) source.on(signal, this.#onSignal);
  }

  /** The daemon has started; it ends at once when it was told to already. */
  attach(daemon: Pick<Daemon, "close">): void {
    this.#daemon = daemon;
    if (this.#received > 0) this.#close();
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) this.#source.off(signal, this.#onSignal);
  }

  #close(): void {
    // The outcome is told by `daemon.closed`.
    this.#daemon?.close(this.#received > 1 ? { drainMs: 0 } : {}).catch(() => {});
  }
}
