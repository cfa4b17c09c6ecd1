import type { HttpHandler } from "../../src/index.js";
import { requestOf } from "./gateway.js";
import { EventParser, type SentEvent } from "./read-events.js";

/** Options of {@link Follower}. */
export interface FollowerOptions {
  readonly handler: () => HttpHandler;
  readonly sessionId: string;
  readonly after: string;
  readonly partial: boolean;
  /** After how many bytes each connection is cut, one after another; then none is. */
  readonly cuts: readonly number[];
}

/** A client of the stream of events: it connects again wherever it is cut, with `Last-Event-ID`. */
export class Follower {
  /** What was received, in order, without what has no position. */
  readonly events: SentEvent[] = [];
  readonly #options: FollowerOptions;
  readonly #cuts: number[];
  #lastId: string;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#cuts = [...options.cuts];
    this.#lastId = options.after;
  }

  /** Reads until an event fits; then lets go of the connection. */
  async until(fits: (event: SentEvent) => boolean): Promise<void> {
    while (!(await this.#read(fits)));
  }

  async #read(fits: (event: SentEvent) => boolean): Promise<boolean> {
    const { handler, sessionId, partial } = this.#options;
    const path = `/sessions/${sessionId}/events?partial=${partial}`;
    const response = await handler()(requestOf("GET", path, undefined, { "last-event-id": this.#lastId }));
    if (response.status !== 200) throw new TypeError(`${response.status}: ${await response.text()}`);
    const parser = new EventParser();
    parser.lastId = this.#lastId;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    try {
      for (let left = this.#cuts.shift() ?? Number.POSITIVE_INFINITY; left > 0; ) {
        const { value, done } = await reader.read();
        if (done) return false;
        for (const event of parser.push(value.subarray(0, left))) {
          if (event.event !== "requests") this.events.push(event);
          this.#lastId = parser.lastId;
          if (fits(event)) return true;
        }
        left -= value.byteLength;
      }
      this.#lastId = parser.lastId;
      return false;
    } finally {
      await reader.cancel();
    }
  }
}
