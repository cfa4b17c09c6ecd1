import type { Clock } from "@daemon-sdk/protocol";

/** The computer's own clock. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
