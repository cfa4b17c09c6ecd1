import { CLIENT_LIMITS } from "@daemon-sdk/protocol";

/** Attempts right after a loss, when most likely only one client reconnects. */
const EARLY_ATTEMPTS = 2;

/**
 * Pause before the reconnect attempt of that number, counted from 0: `LIMITS.reconnectDelaysMs`, the first two ± 20 %,
 * the later ones × 0.5 to 1.5.
 */
export function reconnectDelayMs(attempt: number, random: () => number = Math.random): number {
  const delays = CLIENT_LIMITS.reconnectDelaysMs;
  const delay = delays[Math.min(attempt, delays.length - 1)] ?? 0;
  const spread = attempt < EARLY_ATTEMPTS ? 0.2 : 0.5;
  return delay * (1 - spread + 2 * spread * random());
}
