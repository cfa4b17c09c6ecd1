import { type Clock, TimeoutError } from "@daemon-sdk/protocol";

/** Checks per idle time: a stream ends after that time of silence, or at most a quarter of it later. */
const LOOKS = 4;

/** Options of {@link StreamDeadlines}. */
export interface StreamDeadlinesOptions {
  readonly clock: Clock;
  readonly timeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  /** Whether silence does not count now: a person is asked, there is no link, or the reader has not read. */
  isExcused(): boolean;
  onTimeout(error: TimeoutError): void;
}

/** Ends one stream after its time limits. Counts timer ticks, never wall-clock time: while a computer sleeps, no time counts. */
export class StreamDeadlines {
  readonly #options: StreamDeadlinesOptions;
  #silentLooks = 0;
  #stopIdle: (() => void) | undefined;
  #stopWall: (() => void) | undefined;

  constructor(options: StreamDeadlinesOptions) {
    this.#options = options;
    const { clock, timeoutMs, onTimeout } = options;
    if (timeoutMs !== undefined) {
      this.#stopWall = clock.setTimer(() => onTimeout(new TimeoutError("The stream", timeoutMs)), timeoutMs);
    }
    this.#look();
  }

  /** A frame of the session was received. */
  heard(): void {
    this.#silentLooks = 0;
  }

  /** The stream is over. */
  stop(): void {
    this.#stopIdle?.();
    this.#stopWall?.();
  }

  #look(): void {
    const { clock, idleTimeoutMs, isExcused, onTimeout } = this.#options;
    if (idleTimeoutMs === undefined) return;
    this.#stopIdle = clock.setTimer(() => {
      this.#silentLooks = isExcused() ? 0 : this.#silentLooks + 1;
      // The first check falls somewhere into the silence.
      if (this.#silentLooks > LOOKS)
        onTimeout(new TimeoutError("Waiting for the next event of the stream", idleTimeoutMs));
      else this.#look();
    }, idleTimeoutMs / LOOKS);
  }
}
