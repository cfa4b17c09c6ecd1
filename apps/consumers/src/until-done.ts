import { setTimeout as delay } from "node:timers/promises";
import { ConnectionError, DaemonError } from "@daemon-sdk/client";

const RETRY_MS = 2_000;

/** Repeats a step that acts once until it succeeds: the daemon, or the service behind it, may be down meanwhile. */
export async function untilDone(step: () => Promise<unknown>, signal?: AbortSignal): Promise<void> {
  while (signal?.aborted !== true) {
    try {
      await step();
      return;
    } catch (error) {
      console.error(error);
      await delay(RETRY_MS);
    }
  }
}

/** Whether the daemon has refused, so that a repetition would fail in the same way. */
export function isFinal(error: unknown): error is DaemonError {
  return error instanceof DaemonError && !error.retryable && !(error instanceof ConnectionError);
}
