import { LIMITS } from "@daemon-sdk/protocol";

/** The part of a Node stream that joins writes. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * Joins the writes of one tick into one system call.
 *
 * The first write of a tick corks the stream, and the end of the tick uncorks it. So a single message waits only for the
 * present tick. Past `limitBytes` the stream is flushed at once, because larger writes gain nothing and cost memory. A cork
 * never outlives its tick, and {@link flush} removes it earlier: a socket closed under a cork would stay open.
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

  /** Runs one write of about `bytes` bytes, which leaves at the end of the tick. */
  write(bytes: number, write: () => void): void {
    this.#cork();
    write();
    this.#bytes += bytes;
    if (this.#bytes >= this.#limitBytes) this.flush();
  }

  /** Flushes the held writes now. */
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
