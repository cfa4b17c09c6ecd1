import { type Clock, TimeoutError } from "@daemon-sdk/protocol";

/** Looks in one idle time: a stream is given up after that time of silence, or a quarter of it later. */
const LOOKS = 4;

/** Options of {@link StreamDeadlines}. */
export interface StreamDeadlinesOptions {
  readonly clock: Clock;
  readonly timeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  /** Whether silence is nobody's fault now: a person is asked, the link is away, the reader has not read. */
  isExcused(): boolean;
  onTimeout(error: TimeoutError): void;
}

/** When to give up one stream. Timers alone, no hours: a computer that slept has not waited. */
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

  /** Something was heard of the session. */
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
      // The first look falls somewhere into the silence.
      if (this.#silentLooks > LOOKS)
        onTimeout(new TimeoutError("Waiting for the next event of the stream", idleTimeoutMs));
      else this.#look();
    }, idleTimeoutMs / LOOKS);
  }
}
