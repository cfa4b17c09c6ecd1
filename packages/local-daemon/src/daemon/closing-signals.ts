import type { EventEmitter } from "node:events";
import { isatty } from "node:tty";
import type { Daemon } from "../server.js";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
type ClosingSignal = (typeof SIGNALS)[number];

/** Descriptors of stdin, stdout and stderr. */
const STANDARD_STREAMS = [0, 1, 2];

/**
 * Ends a daemon at a signal. First signal: running turns may finish for a time. Second: they end now.
 *
 * Made before the daemon is: a signal that comes while it starts ends it as soon as it has started, so that nothing half
 * published stays. Signals have their usual effect again after disposal.
 *
 * SIGHUP ends a daemon that has a terminal, because that has gone. One without a terminal (in the background, under a service manager)
 * reloads its configuration, as services do. Under `nohup` the signal has that effect, too: Node undoes the wish to ignore it
 * before any of our code runs, and a reload of an unchanged file changes nothing.
 */
export class ClosingSignals implements Disposable {
  readonly #source: Pick<EventEmitter, "on" | "off">;
  #daemon: Pick<Daemon, "close"> | undefined;
  #reload: () => void = () => {};
  #received = 0;
  readonly #hasTerminal: boolean;
  readonly #onSignal = (signal: ClosingSignal) => {
    if (signal === "SIGHUP" && !this.#hasTerminal) {
      this.#reload();
      return;
    }
    this.#received += 1;
    this.#close();
  };

  /**
   * @param source what emits the signals; default this process
   * @param hasTerminal default: whether one of the standard streams is a terminal
   */
  constructor(source: Pick<EventEmitter, "on" | "off"> = process, hasTerminal = STANDARD_STREAMS.some(isatty)) {
    this.#source = source;
    this.#hasTerminal = hasTerminal;
    for (const signal of SIGNALS) source.on(signal, this.#onSignal);
  }

  /**
   * Closes the started daemon at later signals, and at once if a signal was received before.
   *
   * @param reload called at a SIGHUP without a terminal; default: nothing happens then
   */
  started(daemon: Pick<Daemon, "close">, reload: () => void = () => {}): void {
    this.#daemon = daemon;
    this.#reload = reload;
    if (this.#received > 0) this.#close();
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) this.#source.off(signal, this.#onSignal);
  }

  #close(): void {
    // `daemon.closed` has the outcome.
    this.#daemon?.close(this.#received > 1 ? { drainMs: 0 } : {}).catch(() => {});
  }
}
