import { abortReason, type Clock } from "@daemon-sdk/protocol";

/** Longest delay a timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const start = (callback: () => void, delayMs: number) => setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));

/** The computer's clock. Its timers keep a Node process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(callback, delayMs) {
    const timer = start(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The computer's clock, with timers that do not keep a Node process alive. */
export const idleClock: Clock = {
  now: () => Date.now(),
  setTimer(callback, delayMs) {
    const timer = start(callback, delayMs);
    // A number in browsers. This package is compiled without Node's types.
    (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer);
  },
};

/**
 * Resolves after `delayMs`, or rejects with the reason of `signal` as soon as that is aborted. The timer is set before this
 * returns.
 */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      stopTimer();
      reject(abortReason(signal as AbortSignal));
    };
    const stopTimer = clock.setTimer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
