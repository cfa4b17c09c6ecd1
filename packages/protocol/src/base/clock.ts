/**
 * The time as code with deadlines of its own sees it: what the hour is, and a call back later. Taken
 * as an argument where tests must not wait (the client's reconnect delays and heartbeat, the fakes of
 * the testing package); the system's is the default there.
 */
export interface Clock {
  /** Wall time, in milliseconds since 1970; it goes on while a computer sleeps, timers may not. */
  now(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now. The returned function cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
}
