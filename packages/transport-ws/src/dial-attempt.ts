import { abortReason, ConnectionError } from "@daemon-sdk/protocol";

/** What bounds one attempt to connect. */
export interface AttemptBounds {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** The error to reject with when the time is up. */
  timedOut(): Error;
}

/** How an attempt reports: the first call counts, later ones do nothing. */
export interface AttemptOutcome<Value> {
  succeed(value: Value): void;
  fail(error: Error): void;
}

/**
 * One attempt that ends exactly once: by its own outcome, by the time-out or by abort. `start` returns what to undo when
 * the attempt fails for whatever reason; timer and abort listener are gone afterwards.
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
