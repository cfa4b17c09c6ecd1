import { abortable, abortReason } from "@daemon-sdk/protocol";

/**
 * Concurrent calls with the same key share one task. Each caller can abort its own wait. The task is aborted when no caller
 * waits for it.
 */
export class SharedStart<Result> {
  readonly #running = new Map<string, { result: Promise<Result>; waiting: number; abort: AbortController }>();

  /** Joins the task that runs under `key`, or starts it. Rejects with the reason of `signal` when that is aborted. */
  async join(key: string, start: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) throw abortReason(signal);
    const shared = this.#running.get(key) ?? this.#begin(key, start);
    shared.waiting += 1;
    try {
      return await abortable(shared.result, signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) {
        // Later callers must not join an aborted task.
        this.#running.delete(key);
        shared.abort.abort();
      }
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<Result>) {
    const abort = new AbortController();
    const result = start(abort.signal);
    // All callers may have aborted before the task rejects.
    result.catch(() => {});
    const shared = { result, waiting: 0, abort };
    this.#running.set(key, shared);
    return shared;
  }
}
