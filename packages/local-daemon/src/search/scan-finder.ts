import type { SessionId } from "@daemon-sdk/protocol";
import { SEARCH_LIMITS } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import type { Finder } from "./finder.js";
import { HitCollector } from "./hit-collector.js";
import { searchableTexts } from "./message-texts.js";
import type { SearchQuery } from "./search-query.js";
import { termsOf } from "./search-terms.js";
import type { Found } from "./search-work.js";

/** Finds by reading every message of a store that has no feed: for stores that hold few, such as that of a test. */
export class ScanFinder implements Finder {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async find(query: SearchQuery): Promise<Found> {
    const terms = termsOf(query.query);
    const collector = new HitCollector(query, terms);
    if (terms.length === 0) return { sessions: [], isIncomplete: false };
    for (const { id } of await this.#store.listSessions({ limit: Number.MAX_SAFE_INTEGER, owner: query.owner })) {
      if (collector.isFull || !collector.wants(id)) break;
      await this.#look(id, collector);
    }
    return { sessions: collector.hits, isIncomplete: false };
  }

  async close(): Promise<void> {}

  async #look(id: SessionId, collector: HitCollector): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await this.#store.readMessages(id, {
        limit: SEARCH_LIMITS.scannedMessages,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const message of page.messages.reverse()) {
        for (const text of searchableTexts(message))
          collector.add(id, { ...text, docId: message.id, role: message.role });
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined && collector.wants(id));
  }
}
