import { abortReason, DaemonError, MachineType } from "@daemon-sdk/protocol";
import { dialTimedOut } from "./dial-errors.js";

// Facts of the wire: docs/wire/session.md#connect-and-retry

/** Attempts, time-outs and delays of a dial. */
export interface RetrySchedule {
  /** Time for one attempt. */
  readonly attemptTimeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  /** Delay before the first retry; it doubles with each later one … */
  readonly initialDelayMs: number;
  /** … up to this. */
  readonly maxDelayMs: number;
  /** Random share of the delay, 0 to 1, so that many clients of one daemon do not reconnect at once. */
  readonly jitter: number;
}

function schedule(attemptTimeoutMs: number, retries: number, initialDelayMs = 500, maxDelayMs = 5_000): RetrySchedule {
  return { attemptTimeoutMs, retries, initialDelayMs, maxDelayMs, jitter: 0.2 };
}

/**
 * Schedule per kind of machine: the numbers of the original SDK, which has no jitter, with ±20 % of it. A machine of a fleet is dialed
 * once: the registry of the fleet says whether it is online.
 */
export const RETRY_SCHEDULES: Readonly<Record<MachineType, RetrySchedule>> = {
  [MachineType.Local]: schedule(10_000, 5),
  [MachineType.Ephemeral]: schedule(5_000, 5),
  [MachineType.Computer]: schedule(45_000, 10, 2_000, 10_000),
  [MachineType.Fleet]: schedule(10_000, 0),
};

/** Timers and random numbers of {@link dialWithRetry}. Tests pass their own. */
export interface RetryClock {
  /** Calls `callback` after `delayMs`. The returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
}

const systemClock: RetryClock = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Describes the next retry. */
export interface RetryEvent {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  readonly delayMs: number;
}

/** Options of {@link dialWithRetry}. */
export interface RetryOptions {
  /** Stops, in an attempt or between two. The call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called before each delay. */
  onRetry?(event: RetryEvent): void;
  /** Whether to retry after that error. Default: `retryable` of a `DaemonError`; any other error is final. */
  isRetryable?(error: unknown): boolean;
  readonly clock?: RetryClock;
}

/**
 * Delay in ms before retry number `retry` (from 0): min(initial × 2^retry, max), changed by the jitter.
 *
 * @param chance from 0 to 1; 0.5 is the plain value
 */
export function retryDelayMs(schedule: RetrySchedule, retry: number, chance: number): number {
  const plain = Math.min(schedule.initialDelayMs * 2 ** retry, schedule.maxDelayMs);
  return Math.round(plain * (1 + schedule.jitter * (2 * chance - 1)));
}

/**
 * Calls `attempt` until it succeeds, the schedule is exhausted, or the error is not retryable. Then rejects with the last
 * error.
 *
 * `attempt` gets a signal that is aborted at the attempt's time-out or by the caller's signal. It must settle then and close
 * what it opened, as `Dial` requires.
 */
export async function dialWithRetry<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  schedule: RetrySchedule,
  options: RetryOptions = {},
): Promise<T> {
  const { signal, clock = systemClock, isRetryable = saysRetryable } = options;
  for (let retry = 0; ; retry++) {
    try {
      return await attemptOnce(attempt, schedule.attemptTimeoutMs, signal, clock);
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal);
      if (retry >= schedule.retries || !isRetryable(error)) throw error;
      const delayMs = retryDelayMs(schedule, retry, clock.random());
      options.onRetry?.({ attempt: retry + 1, error, delayMs });
      await pause(delayMs, signal, clock);
    }
  }
}

function saysRetryable(error: unknown): boolean {
  return DaemonError.is(error) && error.retryable;
}

async function attemptOnce<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  clock: RetryClock,
): Promise<T> {
  if (signal?.aborted) throw abortReason(signal);
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const cancel = clock.after(timeoutMs, () => controller.abort(dialTimedOut("The daemon", timeoutMs)));
  try {
    return await attempt(controller.signal);
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Waits, or rejects as soon as `signal` is aborted. */
function pause(delayMs: number, signal: AbortSignal | undefined, clock: RetryClock): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal));
    const onAbort = (): void => {
      cancel();
      if (signal) reject(abortReason(signal));
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
