import { setTimeout as delay } from "node:timers/promises";
import { abortReason } from "@daemon-sdk/protocol";

/** Waits between two looks at something that cannot tell by itself. Rejects with the reason of `signal`. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw abortReason(signal);
  }
}
