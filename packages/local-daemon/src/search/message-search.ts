import type { Logger } from "@daemon-sdk/protocol";
import { sessionId } from "@daemon-sdk/protocol";
import { PrincipalTurns } from "../access/index.js";
import { SEARCH_LIMITS } from "../limits/index.js";
import type { SessionRow, Store } from "../storage/index.js";
import { checkedTerms, tooManySearches } from "./check-query.js";
import type { Finder } from "./finder.js";
import { IndexFinder } from "./index-finder.js";
import { ScanFinder } from "./scan-finder.js";
import type { SearchHit, SearchQuery } from "./search-query.js";

/** A session in which something was found. */
export interface SearchRow {
  readonly session: SessionRow;
  /** Newest message first. */
  readonly hits: readonly SearchHit[];
}

/** The answer to one search. */
export interface SearchAnswer {
  /** The session that changed last is the first. */
  readonly rows: readonly SearchRow[];
  /** Whether there may be more: its time was up, or the index does not hold everything yet. */
  readonly isIncomplete: boolean;
}

/** Options of {@link MessageSearch}. */
export interface MessageSearchOptions {
  readonly store: Store;
  /** Where the index of a store with a feed lies; `:memory:` keeps it for the life of this object. */
  readonly indexPath: string;
  readonly logger: Logger;
  /** Program of the index's thread; default the built one. */
  readonly program?: string | undefined;
}

/**
 * Looks for words in the conversations.
 *
 * Each principal searches among what it may see, one search at a time; what it costs does not depend on what others have,
 * and nobody else waits for it.
 */
export class MessageSearch {
  readonly #store: Store;
  readonly #finder: Finder;
  readonly #turns = new PrincipalTurns({ waiting: SEARCH_LIMITS.waitingPerPrincipal, refusal: tooManySearches });

  constructor({ store, indexPath: path, logger, program }: MessageSearchOptions) {
    this.#store = store;
    const feed = store.messageFeed;
    this.#finder = feed === undefined ? new ScanFinder(store) : new IndexFinder({ feed, path, logger, program });
  }

  /**
   * Sessions with messages that hold every word of the query; the last one may be the beginning of a word.
   *
   * Rejects with `INVALID_PARAMS` when the query exceeds a bound, and with `QUEUE_FULL` when too many searches of the
   * principal wait.
   */
  async search(query: SearchQuery): Promise<SearchAnswer> {
    // First, because it is cheap: words are found by a segmenter.
    this.#turns.check(query.owner);
    if (checkedTerms(query).length === 0) return { rows: [], isIncomplete: false };
    return this.#turns.take(query.owner, () => this.#search(query));
  }

  /** Ends the index's thread. */
  close(): Promise<void> {
    return this.#finder.close();
  }

  async #search(query: SearchQuery): Promise<SearchAnswer> {
    const { sessions, isIncomplete } = await this.#finder.find(query);
    const rows: SearchRow[] = [];
    for (const { sessionId: id, hits } of sessions) {
      const session = await this.#store.readSession(sessionId(id));
      // The index may know a session that the store no longer has.
      if (session === undefined || (query.owner !== undefined && session.owner !== query.owner)) continue;
      rows.push({ session, hits });
    }
    rows.sort((a, b) => b.session.updatedAt - a.session.updatedAt);
    return { rows: rows.slice(0, query.limitSessions), isIncomplete };
  }
}
