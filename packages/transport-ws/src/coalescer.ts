import { LIMITS } from "@daemon-sdk/protocol";

/** The part of a Node stream that holds writes back and lets them go as one. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * Joins the writes of one tick into one system call.
 *
 * The first write of a tick corks the stream and the end of the tick uncorks it, so a lone message waits for nothing but
 * the code that runs now. Past `limitBytes` the stream is flushed at once: more in one go gains nothing and costs memory.
 * A cork never outlives its tick, and {@link flush} undoes it earlier: a socket closed under a cork would stay open.
 */
export class Coalescer {
  readonly #stream: Corkable;
  readonly #limitBytes: number;
  readonly #atTickEnd: (flush: () => void) => void;
  readonly #endTick = () => {
    this.#isScheduled = false;
    this.flush();
  };
  #isCorked = false;
  #isScheduled = false;
  #bytes = 0;

  constructor(stream: Corkable, atTickEnd: (flush: () => void) => void, limitBytes: number = LIMITS.coalesceBytes) {
    this.#stream = stream;
    this.#atTickEnd = atTickEnd;
    this.#limitBytes = limitBytes;
  }

  /** Runs one write of about `bytes` bytes, held back until the end of the tick. */
  write(bytes: number, write: () => void): void {
    this.#cork();
    write();
    this.#bytes += bytes;
    if (this.#bytes >= this.#limitBytes) this.flush();
  }

  /** Lets everything held back go now. */
  flush(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#bytes = 0;
    this.#stream.uncork();
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#atTickEnd(this.#endTick);
  }
}
