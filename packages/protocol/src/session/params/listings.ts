import type { Open, SessionActivity, SessionMessage, SessionTag, WorkingState } from "../values.js";
import type { SessionScoped, SuccessResult } from "./scope.js";

// Facts of the wire: docs/wire/session.md#session-lists

/** One row of `list_opened_sessions`; `updatedAt` in epoch seconds. */
export interface OpenedSession {
  sessionId: string;
  updatedAt: number;
  workingState: Open<WorkingState>;
  /** Ours: the session's activity, for people. */
  activity?: Open<SessionActivity>;
  hostId?: string;
  cwd?: string;
  messagesCount?: number;
  tags?: SessionTag[];
}
/** Sessions that are open. */
export interface ListOpenedSessionsResult {
  sessions: OpenedSession[];
  /** Ours: more sessions are open than one answer holds; `list_available_sessions` lists all, in pages. */
  isIncomplete?: boolean;
}
/** One row of `list_available_sessions`; `updatedAt` in epoch seconds, `archivedAt` ISO. */
export interface AvailableSession {
  sessionId: string;
  updatedAt: number;
  title?: string;
  hostId?: string;
  cwd?: string;
  messagesCount?: number;
  archivedAt?: string;
  tags?: SessionTag[];
}
/** Requests a page of all sessions, youngest first. */
export interface ListAvailableSessionsParams {
  /** 1..100, default 50. */
  limit?: number;
  /** Epoch seconds: only sessions updated before it. */
  endBefore?: number;
}
/** A page; `nextCursor` is the next page's `endBefore`. */
export interface ListAvailableSessionsResult {
  sessions: AvailableSession[];
  hasMore: boolean;
  nextCursor?: number;
}
/** Where to search. */
export type SearchKind = "message_text" | "document" | "tool_use" | "tool_result" | "all";
/** Searches the text of all sessions. */
export interface SearchSessionsParams {
  /** Up to `LIMITS.searchWords` words. A hit contains all of them; the last one may be the beginning of a word. */
  query: string;
  kind?: Open<SearchKind>;
  /** Up to `LIMITS.searchSessionsMax`. */
  limitSessions?: number;
  /** Up to `LIMITS.searchHitsMax`. */
  limitHitsPerSession?: number;
  /** Up to `LIMITS.searchContextChars`. */
  contextChars?: number;
}
/** One place that matched. */
export interface SearchHit {
  docId: string;
  kind: Open<SearchKind>;
  snippets: string[];
  score?: number;
  toolName?: string;
  messageRole?: Open<"user" | "assistant">;
}
/** `updatedAt` is in ms here, unlike the lists. */
export interface SearchSessionsResult {
  query: string;
  sessions: { sessionId: string; title?: string; updatedAt?: number; hits: SearchHit[] }[];
  /** Ours: there may be more hits, because the search timed out or the index is not complete yet. */
  isIncomplete?: boolean;
}
/** Requests a page of a session's history. Needs no agent and no loaded session. */
export interface GetSessionMessagesParams extends SessionScoped {
  /** 1..100, default 20. */
  limit?: number;
  cursor?: string;
  role?: Open<"user" | "assistant" | "tool">;
}
/** A page; `nextCursor` is the next page's `cursor`. */
export interface GetSessionMessagesResult {
  messages: SessionMessage[];
  hasMore: boolean;
  nextCursor?: string;
}
/** When the session was archived. */
export interface ArchiveSessionResult extends SuccessResult {
  /** ISO 8601. */
  archivedAt: string;
}
