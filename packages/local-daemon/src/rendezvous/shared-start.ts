import { abortable, abortReason } from "@daemon-sdk/protocol";

/**
 * Calls for the same thing at the same time share one piece of work. Each caller can give up alone; the work is told to
 * stop when nobody waits for it any more.
 */
export class SharedStart<Result> {
  readonly #running = new Map<string, { result: Promise<Result>; waiting: number; abort: AbortController }>();

  /** Joins the work that runs under `key`, or starts it. Rejects with the reason of `signal` when that is aborted. */
  async join(key: string, start: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) throw abortReason(signal);
    const shared = this.#running.get(key) ?? this.#begin(key, start);
    shared.waiting += 1;
    try {
      return await abortable(shared.result, signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) {
        // Who comes later must not join work that is being given up.
        this.#running.delete(key);
        shared.abort.abort();
      }
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<Result>) {
    const abort = new AbortController();
    const result = start(abort.signal);
    // Every waiter may have left before it fails.
    result.catch(() => {});
    const shared = { result, waiting: 0, abort };
    this.#running.set(key, shared);
    return shared;
  }
}
