import type {
  ArchiveSessionResult as WireArchiveSessionResult,
  AvailableSession as WireAvailableSession,
  OpenedSession as WireOpenedSession,
  ListAvailableSessionsParams as WirePage,
  ListAvailableSessionsResult as WirePageResult,
} from "@daemon-sdk/protocol";

// On the wire these lists have epoch seconds and ISO 8601 (docs/wire/session.md#session-lists); every time of this API is in milliseconds.

/** One session that is open, as `listOpenedSessions` lists it. */
export interface OpenedSession extends Omit<WireOpenedSession, "updatedAt"> {
  /** Unix milliseconds. */
  updatedAt: number;
}

/** One session that the daemon knows, as `listAvailableSessions` lists it. */
export interface AvailableSession extends Omit<WireAvailableSession, "updatedAt" | "archivedAt"> {
  /** Unix milliseconds. */
  updatedAt: number;
  /** Unix milliseconds; absent for a session that is not archived. */
  archivedAt?: number;
}

/** Which page of all sessions is wanted. */
export interface SessionPageOptions {
  /** Most sessions: 1 to 100, default 50. */
  limit?: number;
  /** Unix milliseconds: only sessions that were updated before; `nextCursor` of the page before. Default: the newest ones. */
  endBefore?: number;
}

/** A page of all sessions, newest first. */
export interface SessionPage {
  sessions: AvailableSession[];
  hasMore: boolean;
  /** `endBefore` of the next page. */
  nextCursor?: number;
}

/** When a session was archived. */
export interface ArchivedSession {
  /** Unix milliseconds. */
  archivedAt: number;
}

/** The row of the wire, with its time in ms. */
export function openedSession(row: WireOpenedSession): OpenedSession {
  return { ...row, updatedAt: msOf(row.updatedAt) };
}

/** The options as params of the wire. */
export function pageParams({ endBefore, ...page }: SessionPageOptions): WirePage {
  return endBefore === undefined ? page : { ...page, endBefore: endBefore / 1_000 };
}

/** The page of the wire, with its times in ms. */
export function sessionPage({ sessions, nextCursor, ...page }: WirePageResult): SessionPage {
  return {
    ...page,
    sessions: sessions.map(availableSession),
    ...(nextCursor === undefined ? {} : { nextCursor: msOf(nextCursor) }),
  };
}

/** The result of the wire, with its time in ms. */
export function archivedSession({ archivedAt }: WireArchiveSessionResult): ArchivedSession {
  return { archivedAt: Date.parse(archivedAt) };
}

function availableSession({ archivedAt, ...row }: WireAvailableSession): AvailableSession {
  return {
    ...row,
    updatedAt: msOf(row.updatedAt),
    ...(archivedAt === undefined ? {} : { archivedAt: Date.parse(archivedAt) }),
  };
}

/** Rounded, because seconds with decimals are not exact: a cursor has to come back as it was. */
function msOf(seconds: number): number {
  return Math.round(seconds * 1_000);
}
