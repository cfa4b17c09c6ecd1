import {
  type AvailableSession,
  activityOf,
  LIMITS,
  type OpenedSession,
  type SessionTag,
  sessionId,
  TEXT_LIMITS,
} from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../../limits/index.js";
import { deliverable, type Session } from "../../sessions/index.js";
import type { SessionRow } from "../../storage/index.js";
import { handle } from "./handler.js";

/** Defaults of a search. */
const SEARCH_DEFAULTS = { kind: "all", limitSessions: 20, limitHitsPerSession: 5, contextChars: 80 };

/**
 * What can be asked of all sessions, and of their history, without opening any (docs/wire/session.md#session-lists).
 */
export const LISTING_HANDLERS = [
  handle("listOpenedSessions", (_params, { client, sessions: reachable, host }) => {
    const now = host.services.now();
    const isOwn = ({ row }: Session) => row.owner === client.principal.keyId;
    // Own ones first: what others opened must not push them out of the answer.
    const open = [...reachable.open.filter(isOwn), ...reachable.open.filter((session) => !isOwn(session))];
    let room: number = SERVING_LIMITS.answerBytes;
    const sessions: OpenedSession[] = [];
    for (const session of open) {
      const listed = opened(session, now);
      room -= OPENED_BYTES + UNIT_BYTES * (session.row.cwd.length + tagChars(session.row));
      if (room < 0) return { result: { sessions, isIncomplete: true } };
      sessions.push(listed);
    }
    return { result: { sessions } };
  }),

  handle("listAvailableSessions", async ({ limit = LIMITS.sessionPage, endBefore }, { client, host }) => {
    const owner = client.principal.keyId;
    const query = { owner, ...(endBefore === undefined ? {} : { updatedBefore: endBefore * 1000 }) };
    const { store } = host.services;
    const rows = await store.listSessions({ limit, ...query });
    const last = rows.at(-1);
    const more = last && (await store.listSessions({ limit: 1, owner, updatedBefore: last.updatedAt }));
    const hasMore = more !== undefined && more.length > 0;
    const sessions = rows.map((row) => available(row, row.messagesCount));
    return { result: { sessions, hasMore, ...(last && hasMore ? { nextCursor: last.updatedAt / 1000 } : {}) } };
  }),

  handle("searchSessions", async (params, { client, host }) => {
    const owner = client.principal.keyId;
    const found = await host.services.search.search({ ...SEARCH_DEFAULTS, ...params, owner });
    const sessions = found.rows.map(({ session, hits }) => ({
      sessionId: session.id,
      ...titleOf(session),
      updatedAt: session.updatedAt,
      hits: hits.map(({ docId, kind, role, toolName, snippets, score }) => ({
        docId,
        kind,
        snippets: [...snippets],
        score,
        ...(toolName === undefined ? {} : { toolName }),
        ...(role === "user" || role === "assistant" ? { messageRole: role } : {}),
      })),
    }));
    return { result: { query: params.query, sessions, ...(found.isIncomplete ? { isIncomplete: true } : {}) } };
  }),

  handle("getSessionMessages", async (params, { sessions, host }) => {
    await sessions.rowOf(params.sessionId);
    const { store } = host.services;
    const id = sessionId(params.sessionId);
    const page = await store.readMessages(id, {
      limit: params.limit ?? LIMITS.messagePage,
      maxBytes: SERVING_LIMITS.pageBytes,
      ...(params.role && { role: params.role }),
      ...(params.cursor && { cursor: params.cursor }),
    });
    const { nextCursor } = page;
    const messages = deliverable(page.messages, page.bytes);
    return {
      result: { messages, hasMore: nextCursor !== undefined, ...(nextCursor === undefined ? {} : { nextCursor }) },
    };
  }),
];

/** A session without a turn needs no agent: the next message starts one. */
function activityIn({ log, agentActiveAt, turns, agent }: Session, now: number) {
  const { workingState, pendingRequests } = log.state;
  if (turns.active !== undefined && agent.isStarting) return "waiting-agent";
  const isReachable = turns.active === undefined || agent.isOccupied;
  return activityOf({ workingState, pendingRequests, silentMs: now - agentActiveAt, isReachable });
}

/** Bytes of an opened session in a list beside its directory and its tags, and most bytes of one UTF-16 unit in JSON. */
const OPENED_BYTES = 512;
const UNIT_BYTES = 6;

function opened(session: Session, now: number): OpenedSession {
  const { row, log } = session;
  return {
    sessionId: session.id,
    updatedAt: row.updatedAt / 1000,
    workingState: log.state.workingState,
    activity: activityIn(session, now),
    cwd: row.cwd,
    tags: tagsOf(row),
  };
}

function available(row: SessionRow, messagesCount: number): AvailableSession {
  return {
    sessionId: row.id,
    updatedAt: row.updatedAt / 1000,
    cwd: row.cwd.slice(0, TEXT_LIMITS.pathChars),
    messagesCount,
    tags: tagsOf(row),
    ...titleOf(row),
    ...(row.archivedAt === undefined ? {} : { archivedAt: new Date(row.archivedAt).toISOString() }),
  };
}

/** An older daemon may have stored a longer one: it must not make the list of all sessions too large. */
function titleOf({ title }: SessionRow): { title?: string } {
  return title === undefined ? {} : { title: title.slice(0, TEXT_LIMITS.titleChars) };
}

/** As {@link titleOf}. */
function tagsOf(row: SessionRow): SessionTag[] {
  return tagChars(row) > TEXT_LIMITS.tagsJsonChars ? [] : [...row.tags];
}

function tagChars({ tags }: SessionRow): number {
  return tags.length === 0 ? 0 : JSON.stringify(tags).length;
}
