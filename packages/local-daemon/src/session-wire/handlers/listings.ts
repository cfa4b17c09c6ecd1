import { type AvailableSession, activityOf, LIMITS, sessionId } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../../limits/index.js";
import { fitting, type Session } from "../../sessions/index.js";
import type { SessionRow } from "../../storage/index.js";
import { handle } from "./handler.js";

/** Defaults of a search. */
const SEARCH_DEFAULTS = { kind: "all", limitSessions: 20, limitHitsPerSession: 5, contextChars: 80 };

/**
 * What can be asked of all sessions, and of their history, without opening any (docs/wire/session.md#session-lists).
 */
export const LISTING_HANDLERS = [
  handle("listOpenedSessions", (_params, { sessions: reachable, host }) => {
    const now = host.services.now();
    const sessions = reachable.open.map((session) => ({
      sessionId: session.id,
      updatedAt: session.row.updatedAt / 1000,
      workingState: session.log.state.workingState,
      activity: activityIn(session, now),
      cwd: session.row.cwd,
      tags: [...session.row.tags],
    }));
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
      ...(session.title === undefined ? {} : { title: session.title }),
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
    const query = { limit: params.limit ?? LIMITS.messagePage, ...(params.role && { role: params.role }) };
    const page = await store.readMessages(id, { ...query, ...(params.cursor && { cursor: params.cursor }) });
    const { messages } = fitting(page.messages, SERVING_LIMITS.answerBytes);
    const cut = page.messages.length - messages.length;
    if (cut === 0 || messages.length === 0) {
      return { result: { ...page, hasMore: page.nextCursor !== undefined } };
    }
    // Too much for one answer: the same page again, as long as it may be.
    const shorter = await store.readMessages(id, {
      ...query,
      limit: messages.length,
      ...(params.cursor && { cursor: params.cursor }),
    });
    return { result: { ...shorter, hasMore: true } };
  }),
];

/** A session without a turn needs no agent: the next message starts one. */
function activityIn({ log, agentActiveAt, turns, agent }: Session, now: number) {
  const { workingState, pendingRequests } = log.state;
  if (turns.active !== undefined && agent.isStarting) return "waiting-agent";
  const isReachable = turns.active === undefined || agent.isOccupied;
  return activityOf({ workingState, pendingRequests, silentMs: now - agentActiveAt, isReachable });
}

function available(row: SessionRow, messagesCount: number): AvailableSession {
  return {
    sessionId: row.id,
    updatedAt: row.updatedAt / 1000,
    cwd: row.cwd,
    messagesCount,
    tags: [...row.tags],
    ...(row.title === undefined ? {} : { title: row.title }),
    ...(row.archivedAt === undefined ? {} : { archivedAt: new Date(row.archivedAt).toISOString() }),
  };
}
