import { type SessionId, silentLogger } from "@daemon-sdk/protocol";
import { MessageSearch, type SearchAnswer, type SearchRow } from "../../src/search/message-search.js";
import type { SearchQuery } from "../../src/search/search-query.js";
import type { Store } from "../../src/storage/store.js";
import { message, sessionRow } from "../storage/store-contract.js";

const QUERY: SearchQuery = { query: "", kind: "all", limitSessions: 10, limitHitsPerSession: 10, contextChars: 20 };

/** A search over a store, with defaults for what a test is not about. */
export class Searching {
  readonly search: MessageSearch;

  constructor(store: Store, options: { indexPath?: string; program?: string } = {}) {
    this.search = new MessageSearch({ store, indexPath: ":memory:", logger: silentLogger, ...options });
  }

  answer(query: Partial<SearchQuery>): Promise<SearchAnswer> {
    return this.search.search({ ...QUERY, ...query });
  }

  async rows(query: Partial<SearchQuery>): Promise<readonly SearchRow[]> {
    return (await this.answer(query)).rows;
  }

  /** Ids of the messages that are found. */
  async ids(query: string, owner?: string): Promise<string[]> {
    return (await this.rows({ query, owner })).flatMap(({ hits }) => hits.map(({ docId }) => docId));
  }

  close(): Promise<void> {
    return this.search.close();
  }
}

/** Puts a session with these texts into a store, each as a message of the id given. */
export async function tell(
  store: Store,
  id: SessionId,
  texts: Readonly<Record<string, string>>,
  owner?: string,
): Promise<void> {
  await store.commit([
    { kind: "session", row: sessionRow(id, { owner }) },
    ...Object.entries(texts).map(
      ([messageId, text]) => ({ kind: "message", sessionId: id, message: message(messageId, text) }) as const,
    ),
  ]);
}
