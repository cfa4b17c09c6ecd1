/** A signal that is aborted when its time is over. Made by {@link timeLimit}. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Ends the timer, once the work is done. */
  end(): void;
}

/**
 * A signal that is aborted after so many ms, or with `signal` if that is aborted first.
 *
 * Not `AbortSignal.any` with `AbortSignal.timeout`: Node 20 collects both while nothing but a wait refers to them, and the wait never ends.
 */
export function timeLimit(ms: number, signal?: AbortSignal): TimeLimit {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException(`The time of ${ms} ms is over.`, "TimeoutError")), ms);
  const onAbort = () => {
    clearTimeout(timer);
    limit.abort(signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return {
    signal: limit.signal,
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}
