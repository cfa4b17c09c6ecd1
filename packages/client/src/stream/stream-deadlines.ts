import { type Clock, TimeoutError } from "@daemon-sdk/protocol";

/** Checks per idle time: a stream ends after that time of silence, or at most a quarter of it later. */
const CHECKS = 4;

/** Options of {@link StreamDeadlines}. */
export interface StreamDeadlinesOptions {
  readonly clock: Clock;
  readonly timeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  /** When the last frame of the session was received. */
  receivedAt(): number;
  /** Whether silence means nothing now: a request waits for a person, there is no link, or events wait for the consumer. */
  isSilenceExpected(): boolean;
  onTimeout(error: TimeoutError): void;
}

/** Ends one stream after its time limits. Counts timer ticks, never wall-clock time: while a computer sleeps, no time counts. */
export class StreamDeadlines {
  readonly #options: StreamDeadlinesOptions;
  #silentChecks = 0;
  /** {@link StreamDeadlinesOptions.receivedAt} at the last check. */
  #receivedAt: number;
  #stopIdle: (() => void) | undefined;
  #stopWall: (() => void) | undefined;

  constructor(options: StreamDeadlinesOptions) {
    this.#options = options;
    this.#receivedAt = options.receivedAt();
    const { clock, timeoutMs, onTimeout } = options;
    if (timeoutMs !== undefined) {
      this.#stopWall = clock.setTimer(() => onTimeout(new TimeoutError("The stream", timeoutMs)), timeoutMs);
    }
    this.#check();
  }

  /** The stream has ended. */
  stop(): void {
    this.#stopIdle?.();
    this.#stopWall?.();
  }

  #check(): void {
    const { clock, idleTimeoutMs, receivedAt, isSilenceExpected, onTimeout } = this.#options;
    if (idleTimeoutMs === undefined) return;
    this.#stopIdle = clock.setTimer(() => {
      if (receivedAt() !== this.#receivedAt) this.#silentChecks = 0;
      this.#receivedAt = receivedAt();
      this.#silentChecks = isSilenceExpected() ? 0 : this.#silentChecks + 1;
      // The first check after a frame counts a part of its quarter only.
      if (this.#silentChecks > CHECKS)
        onTimeout(new TimeoutError("Waiting for the next event of the stream", idleTimeoutMs));
      else this.#check();
    }, idleTimeoutMs / CHECKS);
  }
}
