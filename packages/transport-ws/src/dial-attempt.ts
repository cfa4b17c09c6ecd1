import { abortReason, ConnectionError } from "@daemon-sdk/protocol";

/** Bounds of one attempt to connect. */
export interface AttemptBounds {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Makes the error of a time-out. */
  timedOut(): Error;
}

/** Callbacks of an attempt. The first call counts, later ones have no effect. */
export interface AttemptOutcome<Value> {
  succeed(value: Value): void;
  fail(error: Error): void;
}

/**
 * One attempt that ends exactly once: by its own outcome, by the time-out or by abort. `start` returns a function that cleans
 * up after any failure. Timer and abort listener are removed afterwards.
 */
export function attempt<Value>(
  bounds: AttemptBounds,
  start: (outcome: AttemptOutcome<Value>) => () => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const { signal } = bounds;
    if (signal?.aborted) return reject(abortReason(signal));
    let isSettled = false;
    let undo: (() => void) | undefined;
    const settle = (finish: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      finish();
    };
    const fail = (error: Error): void =>
      settle(() => {
        undo?.();
        reject(error);
      });
    const onAbort = (): void => signal && fail(abortReason(signal));
    const timer = setTimeout(() => fail(bounds.timedOut()), bounds.timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      undo = start({ succeed: (value) => settle(() => resolve(value)), fail });
    } catch (error) {
      fail(error instanceof Error ? error : new ConnectionError("CONNECTION_FAILED", String(error)));
    }
  });
}
