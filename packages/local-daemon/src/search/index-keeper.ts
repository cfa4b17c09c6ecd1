import { DaemonError } from "@daemon-sdk/protocol";
import { isBroken, SearchIndex } from "./search-index.js";
import type { IndexReply, IndexResults, NumberedRequest } from "./search-messages.js";
import { type Found, searchWork } from "./search-work.js";

/** A search that has begun. */
interface Running {
  readonly no: number;
  readonly work: Generator<void, Found>;
}

/**
 * Keeps the search index, in a thread of its own: answers requests, and lets the searches that run take turns, so that a
 * long one delays a short one by no more than its own length.
 */
export class IndexKeeper {
  readonly #index: SearchIndex;
  readonly #reply: (reply: IndexReply) => void;
  readonly #running: Running[] = [];
  #isScheduled = false;

  /** @param path of the index's file, or `:memory:` */
  constructor(path: string, reply: (reply: IndexReply) => void) {
    this.#index = new SearchIndex(path);
    this.#reply = reply;
  }

  /** Takes a request; the answer comes through `reply`. */
  receive({ no, request }: NumberedRequest): void {
    if (request.kind === "search") {
      this.#running.push({ no, work: searchWork(this.#index, request.query) });
      this.#schedule();
      return;
    }
    this.#answer(no, () => {
      if (request.kind === "open") return this.#index.open(request.source);
      if (request.kind === "put") this.#index.put(request.changes, request.filledTo);
      else this.#index.close();
      return undefined;
    });
  }

  #answer(no: number, work: () => IndexResults[keyof IndexResults]): void {
    try {
      this.#reply({ no, result: work() });
    } catch (error) {
      const broken = isBroken(error);
      if (broken) this.#index.discard();
      const { code, message } = DaemonError.is(error)
        ? error
        : { code: "INTERNAL" as const, message: error instanceof Error ? error.message : String(error) };
      this.#reply({ no, error: { code, message, isBroken: broken } });
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // What came meanwhile is received before the next step.
    setImmediate(() => {
      this.#isScheduled = false;
      const next = this.#running.shift();
      if (next !== undefined) this.#step(next);
      if (this.#running.length > 0) this.#schedule();
    });
  }

  #step(running: Running): void {
    let step: IteratorResult<void, Found>;
    try {
      step = running.work.next();
    } catch (error) {
      this.#answer(running.no, () => {
        throw error;
      });
      return;
    }
    if (step.done) this.#reply({ no: running.no, result: step.value });
    else this.#running.push(running);
  }
}
