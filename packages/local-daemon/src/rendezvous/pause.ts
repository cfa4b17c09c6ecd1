import { setTimeout as delay } from "node:timers/promises";
import { abortReason, LIMITS } from "@daemon-sdk/protocol";

/** Pause per time waited so far: what becomes ready is noticed at most an eighth too late. */
const SHARE = 1 / 8;

/**
 * Waits between two looks at something that cannot tell by itself, longer the longer it has taken. Rejects with the reason
 * of `signal`.
 *
 * @param since `performance.now()` when the waiting began
 */
export async function pause(since: number, signal: AbortSignal): Promise<void> {
  const share = (performance.now() - since) * SHARE;
  const ms = Math.min(Math.max(share, LIMITS.daemonPollMs), LIMITS.daemonPollMaxMs);
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw abortReason(signal);
  }
}
