import { setTimeout as delay } from "node:timers/promises";
import { abortReason } from "@daemon-sdk/protocol";
import { PROCESS_LIMITS } from "../limits/index.js";

/**
 * Waits between two looks at something that cannot tell by itself, longer the longer it has taken. Rejects with the reason
 * of `signal`.
 *
 * @param since `performance.now()` when the waiting began
 */
export async function pause(since: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(pauseMs(performance.now() - since), undefined, { signal });
  } catch {
    throw abortReason(signal);
  }
}

/** The length of a pause after so many ms of waiting, within bounds. */
export function pauseMs(waitedMs: number, atLeast: number = PROCESS_LIMITS.pollMs): number {
  return Math.min(Math.max(waitedMs * PROCESS_LIMITS.pollShare, atLeast), PROCESS_LIMITS.pollMaxMs);
}
