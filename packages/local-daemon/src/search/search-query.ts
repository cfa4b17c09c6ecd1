/** What `search_sessions` looks for. */
export interface SearchQuery {
  readonly query: string;
  /** `message_text`, `document`, `tool_use`, `tool_result`, or `all`. */
  readonly kind: string;
  readonly limitSessions: number;
  readonly limitHitsPerSession: number;
  readonly contextChars: number;
  /** Only sessions of this configured key, by its id; undefined: all of them. */
  readonly owner?: string | undefined;
}

/** One place where the words were found. `docId` is the id of the message. */
export interface SearchHit {
  readonly docId: string;
  readonly kind: string;
  readonly role: string | undefined;
  readonly toolName: string | undefined;
  readonly snippets: readonly string[];
  /** How often the words occur in it. */
  readonly score: number;
}

/** Hits in one session, newest message first. */
export interface SessionHits {
  readonly sessionId: string;
  readonly hits: readonly SearchHit[];
}
