import { type FSWatcher, watch } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { abortReason } from "@daemon-sdk/protocol";
import { PROCESS_LIMITS } from "../limits/index.js";
import { pauseMs } from "./pause.js";
import { STATE_FILES } from "./state-dir.js";

/**
 * Waits for changes of an endpoint file: by notifications of the file system, and by time where there are none (a network file system,
 * no watches left). So who starts a daemon finds it at once, and does not take the processor from it by looking often.
 */
export class EndpointWatch implements Disposable {
  readonly #since = performance.now();
  #watcher: FSWatcher | undefined;
  #isChanged = false;
  #endPause: (() => void) | undefined;

  /** The directory has to exist, or waiting is by time only. */
  constructor(stateDir: string) {
    try {
      this.#watcher = watch(stateDir, { persistent: false }, (_event, name) => {
        if (name === STATE_FILES.endpoint || name === null) this.wake();
      });
      this.#watcher.on("error", () => this[Symbol.dispose]());
    } catch {
      // No watches left, or none on this file system.
    }
  }

  /** How long it has existed, in ms. */
  get elapsedMs(): number {
    return performance.now() - this.#since;
  }

  /** Resolves when the file has changed since the last call, or after a pause. Rejects with the reason of `signal`. */
  async next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw abortReason(signal);
    if (!this.#isChanged) await this.#pause(signal);
    this.#isChanged = false;
  }

  /** Ends the pause of {@link next}, or the next one. */
  wake(): void {
    this.#isChanged = true;
    this.#endPause?.();
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const atLeast = this.#watcher === undefined ? PROCESS_LIMITS.pollMs : PROCESS_LIMITS.watchedPollMs;
    const over = new AbortController();
    this.#endPause = () => over.abort();
    const ended = AbortSignal.any([signal, over.signal]);
    await delay(pauseMs(this.elapsedMs, atLeast), undefined, { signal: ended }).catch(() => {});
    this.#endPause = undefined;
    if (signal.aborted) throw abortReason(signal);
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
