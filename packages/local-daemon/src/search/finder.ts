import type { SearchQuery } from "./search-query.js";
import type { Found } from "./search-work.js";

/** Finds messages by what they say. The query keeps every bound. */
export interface Finder {
  /** Per session, newest message first, at most as many as the query says; of sessions there may be more. */
  find(query: SearchQuery): Promise<Found>;
  /** Ends what works for it. */
  close(): Promise<void>;
}
