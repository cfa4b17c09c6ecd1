/**
 * Wall time and timers. Code whose tests must not wait takes a clock as an argument (the client's
 * reconnect delays and heartbeat, the fakes of the testing package). The default is the system's clock.
 */
export interface Clock {
  /** Wall time, in milliseconds since 1970. It advances while the computer sleeps; timers may not. */
  now(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now. The returned function cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
}
