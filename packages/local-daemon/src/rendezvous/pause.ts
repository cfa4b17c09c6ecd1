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
  const share = (performance.now() - since) * PROCESS_LIMITS.pollShare;
  const ms = Math.min(Math.max(share, PROCESS_LIMITS.pollMs), PROCESS_LIMITS.pollMaxMs);
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw abortReason(signal);
  }
}
