import { abortReason } from "./errors.js";

/**
 * Settles as `promise` does, or rejects with the reason of `signal` when that is aborted first. What `promise` stands for goes on
 * then: the signal only ends the waiting.
 */
export function abortable<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
