import type { SessionMessage } from "@daemon-sdk/protocol";
import { findIn, searchableTexts } from "./message-search.js";
import type { SearchHitRow, SearchQuery, SearchRow, SessionRow } from "./store.js";

/** Turns candidates, offered session by session and newest message first, into the answer of one search. */
export class SearchCollector {
  readonly #query: SearchQuery;
  readonly #rows: { session: SessionRow; hits: SearchHitRow[] }[] = [];

  constructor(query: SearchQuery) {
    this.#query = query;
  }

  /** What was found so far. */
  get rows(): readonly SearchRow[] {
    return this.#rows;
  }

  /** Takes the next candidate. False: the answer is full, offer no more. */
  add(session: SessionRow, message: SessionMessage): boolean {
    const { query, kind, contextChars, limitSessions, limitHitsPerSession } = this.#query;
    const pieces = searchableTexts(message).filter((piece) => kind === "all" || piece.kind === kind);
    for (const piece of pieces) {
      const found = findIn(piece, query, contextChars);
      if (found === undefined) continue;
      const row = this.#rowOf(session, limitSessions);
      if (row === undefined) return false;
      if (row.hits.length < limitHitsPerSession) row.hits.push({ docId: message.id, role: message.role, ...found });
    }
    return true;
  }

  #rowOf(session: SessionRow, limit: number): { hits: SearchHitRow[] } | undefined {
    const last = this.#rows.at(-1);
    if (last?.session.id === session.id) return last;
    if (this.#rows.length >= limit) return undefined;
    const row = { session, hits: [] };
    this.#rows.push(row);
    return row;
  }
}
