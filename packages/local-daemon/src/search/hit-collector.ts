import type { SessionMessage } from "@daemon-sdk/protocol";
import { findInText } from "./find-in-text.js";
import type { SearchableText } from "./message-texts.js";
import type { SearchHit, SearchQuery, SessionHits } from "./search-query.js";
import type { Term } from "./search-terms.js";

/** A piece of a message that may hold what is looked for. */
export interface Candidate extends SearchableText {
  readonly docId: string;
  readonly role: SessionMessage["role"];
}

/** Turns candidates, offered newest message first, into the hits of one search. */
export class HitCollector {
  readonly #query: SearchQuery;
  readonly #terms: readonly Term[];
  readonly #sessions = new Map<string, SearchHit[]>();
  #fullSessions = 0;

  constructor(query: SearchQuery, terms: readonly Term[]) {
    this.#query = query;
    this.#terms = terms;
  }

  /** Whether it has as many sessions as were asked for. */
  get hasAllSessions(): boolean {
    return this.#sessions.size >= this.#query.limitSessions;
  }

  /** Whether nothing can be added any more. */
  get isFull(): boolean {
    return this.hasAllSessions && this.#fullSessions === this.#sessions.size;
  }

  /** What was found so far, in the order in which the sessions were found. */
  get hits(): readonly SessionHits[] {
    return [...this.#sessions].map(([sessionId, hits]) => ({ sessionId, hits }));
  }

  /** Whether a hit in this session could be added. */
  wants(sessionId: string): boolean {
    const hits = this.#sessions.get(sessionId);
    return hits === undefined ? !this.hasAllSessions : hits.length < this.#query.limitHitsPerSession;
  }

  /** Looks at the next candidate, if it wants one of this session. */
  add(sessionId: string, { docId, role, kind, toolName, text }: Candidate): void {
    if (!this.wants(sessionId) || (this.#query.kind !== "all" && this.#query.kind !== kind)) return;
    const found = findInText(text, this.#terms, this.#query.contextChars);
    if (found === undefined) return;
    const hits = this.#sessions.get(sessionId) ?? [];
    this.#sessions.set(sessionId, hits);
    hits.push({ docId, kind, role, toolName, ...found });
    if (hits.length === this.#query.limitHitsPerSession) this.#fullSessions += 1;
  }
}
