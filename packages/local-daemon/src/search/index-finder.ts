import type { Logger } from "@daemon-sdk/protocol";
import { SEARCH_LIMITS } from "../limits/index.js";
import type { MessageFeed } from "../storage/index.js";
import type { Finder } from "./finder.js";
import { IndexFeeder } from "./index-feeder.js";
import { IndexBroken, IndexThread } from "./index-thread.js";
import type { SearchQuery } from "./search-query.js";
import type { Found } from "./search-work.js";

/** Options of {@link IndexFinder}. */
export interface IndexFinderOptions {
  readonly feed: MessageFeed;
  /** File of the index, or `:memory:`. */
  readonly path: string;
  readonly logger: Logger;
  /** Program of the index's thread; default the built one. */
  readonly program?: string | undefined;
}

/** Finds through an index that a thread of its own keeps, and that follows the store's feed. */
export class IndexFinder implements Finder {
  readonly #thread: IndexThread;
  readonly #feeder: IndexFeeder;

  constructor({ feed, ...options }: IndexFinderOptions) {
    this.#thread = new IndexThread(options);
    this.#feeder = new IndexFeeder({ feed, thread: this.#thread, logger: options.logger });
    this.#feeder.start();
  }

  async find(query: SearchQuery): Promise<Found> {
    try {
      return await this.#ask(query);
    } catch (error) {
      if (!IndexBroken.is(error)) throw error;
      this.#feeder.indexIsGone();
      return this.#ask(query);
    }
  }

  async close(): Promise<void> {
    await this.#feeder.close();
    await this.#thread.stop();
  }

  /** What was committed before is found, unless much of it waits for the index. */
  async #ask(query: SearchQuery): Promise<Found> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SEARCH_LIMITS.freshMs).unref();
    });
    try {
      await Promise.race([this.#feeder.fresh(), late]);
    } finally {
      clearTimeout(timer);
    }
    const { sessions, isIncomplete } = await this.#thread.request({ kind: "search", query });
    return { sessions, isIncomplete: isIncomplete || this.#feeder.isBehind };
  }
}
