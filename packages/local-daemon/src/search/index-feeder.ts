import type { Logger } from "@daemon-sdk/protocol";
import { SEARCH_LIMITS } from "../limits/index.js";
import type { MessageFeed } from "../storage/index.js";
import { IndexBroken, type IndexThread } from "./index-thread.js";

/** Options of {@link IndexFeeder}. */
export interface IndexFeederOptions {
  readonly feed: MessageFeed;
  readonly thread: IndexThread;
  readonly logger: Logger;
}

/**
 * Brings changed messages to the index, in slices, and forgets them when the index has committed them.
 *
 * A crash between the two brings them again, which changes nothing. An index that is new, or was damaged, gets every
 * message, in the background and from the oldest on; what changes goes first.
 */
export class IndexFeeder {
  readonly #feed: MessageFeed;
  readonly #thread: IndexThread;
  readonly #logger: Logger;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #fresh: (() => void)[] = [];
  /** Whether messages changed since the feed was last asked. */
  #hasChanged = false;
  /** The thread in which the index is open. */
  #openedIn: number | undefined;
  #filledTo: number | undefined;
  #isClosed = false;

  constructor({ feed, thread, logger }: IndexFeederOptions) {
    this.#feed = feed;
    this.#thread = thread;
    this.#logger = logger;
  }

  /** Whether the index does not hold everything yet. */
  get isBehind(): boolean {
    return this.#filledTo !== undefined || this.#feed.changes() !== undefined;
  }

  /** Follows the feed from now on. */
  start(): void {
    this.#feed.onChange = () => {
      this.#hasChanged = true;
      this.#wake(SEARCH_LIMITS.indexDelayMs);
    };
    if (this.#feed.changes() !== undefined) this.#wake(SEARCH_LIMITS.indexDelayMs);
  }

  /** Resolves when everything committed so far is in an open index; rejects when that cannot be. */
  async fresh(): Promise<void> {
    do {
      const fresh = new Promise<void>((resolve) => this.#fresh.push(resolve));
      await Promise.race([fresh, this.#run()]);
    } while (this.#hasChanged && !this.#isClosed);
  }

  /** The index was thrown away: it is opened again, and filled. */
  indexIsGone(): void {
    this.#openedIn = undefined;
  }

  /** Ends after the slice that is on its way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#feed.onChange = undefined;
    clearTimeout(this.#timer);
    await this.#running?.catch(() => {});
  }

  #wake(afterMs: number): void {
    if (this.#isClosed || this.#running !== undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#run().catch(() => {}), afterMs).unref();
  }

  /** Works until nothing is left. One at a time: who comes second joins. */
  #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
      if (this.#hasChanged) this.#wake(SEARCH_LIMITS.indexDelayMs);
    });
    return this.#running;
  }

  async #work(): Promise<void> {
    try {
      // What changes meanwhile waits for the next run: while many sessions work, small slices would follow one another without end.
      while (!this.#isClosed && (await this.#step()));
    } catch (error) {
      this.#openedIn = undefined;
      if (IndexBroken.is(error))
        this.#logger.warn({ error: error.message }, "the search index was damaged and is built anew");
      else if (!this.#isClosed) this.#logger.warn({ error }, "the search index could not be written");
      // Not before this run has ended.
      setImmediate(() => this.#wake(IndexBroken.is(error) ? 0 : SEARCH_LIMITS.retryMs));
      throw error;
    }
  }

  /** Brings one slice. Returns whether there may be more. */
  async #step(): Promise<boolean> {
    await this.#open();
    this.#hasChanged = false;
    const changed = this.#feed.changes();
    if (changed !== undefined) {
      await this.#thread.request({ kind: "put", changes: changed.changes });
      this.#feed.forget(changed.through);
      if (changed.isPart) return true;
    }
    for (const resolve of this.#fresh.splice(0)) resolve();
    if (this.#filledTo === undefined) return false;
    const next = this.#feed.messagesAfter(this.#filledTo);
    const filledTo = next?.through ?? "all";
    await this.#thread.request({ kind: "put", changes: next?.changes ?? [], filledTo });
    this.#filledTo = next?.through;
    await new Promise((resolve) => setTimeout(resolve, SEARCH_LIMITS.rebuildPauseMs).unref());
    return true;
  }

  async #open(): Promise<void> {
    if (this.#openedIn === this.#thread.generation) return;
    this.#filledTo = await this.#thread.request({ kind: "open", source: this.#feed.source() });
    this.#openedIn = this.#thread.generation;
    if (this.#filledTo !== undefined) this.#logger.info({ after: this.#filledTo }, "the search index is built");
  }
}
