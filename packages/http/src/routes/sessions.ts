import type { SessionSnapshot } from "@daemon-sdk/client";
import { withoutUndefined } from "@daemon-sdk/protocol";
import { type HttpDaemon, loadSession, type NewSessionOptions, NO_ANSWERS, released } from "../daemon/index.js";
import { eventId } from "../events/index.js";
import { NEW_SESSION, QUERY, SEARCH_RESULT, SESSION, SESSION_CHANGE, SESSION_PAGE } from "../schemas/index.js";
import { acting, json, type Route, reading, route } from "./route.js";

const SHOWN = { description: "The session.", schema: SESSION } as const;

/** Sessions: what there is, one of them, and what can be done with it as a whole. */
export const SESSION_ROUTES: readonly Route[] = [
  reading<{ limit?: number; before?: number }>({
    path: "/sessions",
    operationId: "listSessions",
    summary: "A page of all sessions, newest first.",
    query: { limit: QUERY.sessionLimit, before: QUERY.before },
    answer: { description: "A page.", schema: SESSION_PAGE },
    read: ({ daemon, query: { limit, before } }) => daemon.listSessions(withoutUndefined({ limit, endBefore: before })),
  }),
  route({
    method: "post",
    path: "/sessions",
    operationId: "createSession",
    summary: "Makes a session. The same `sessionId` again gives the same session.",
    body: NEW_SESSION,
    answers: { 201: SHOWN },
    async handle({ daemon, body, services }) {
      const session = await daemon.createSession({ ...(body as NewSessionOptions), ...NO_ANSWERS });
      const { sessionId } = session;
      const headers = { location: services.address(`/sessions/${encodeURIComponent(sessionId)}`) };
      return json(shown(sessionId, await released(session)), 201, headers);
    },
  }),
  reading({
    path: "/sessions/{sessionId}",
    operationId: "getSession",
    summary: "A session as it is now. Opens it where it was closed; starts no agent.",
    answer: SHOWN,
    async read({ daemon, param }) {
      const sessionId = param("sessionId");
      return shown(sessionId, await daemon.onSession(sessionId, (one) => loadSession(one, sessionId)));
    },
  }),
  acting({
    method: "patch",
    path: "/sessions/{sessionId}",
    operationId: "renameSession",
    summary: "Sets the title.",
    body: SESSION_CHANGE,
    outcome: "Done.",
    act({ daemon, param, body }) {
      const sessionId = param("sessionId");
      return daemon.onSession(sessionId, (one) => one.renameSession(sessionId, (body as { title: string }).title));
    },
  }),
  acting<{ force?: "true" | "false" }>({
    method: "delete",
    path: "/sessions/{sessionId}",
    operationId: "deleteSession",
    summary: "Deletes the session and its conversation. Nothing brings it back.",
    query: { force: QUERY.force },
    outcome: "Done.",
    act({ daemon, param, query: { force } }) {
      const sessionId = param("sessionId");
      return daemon.onSession(sessionId, (one) => one.deleteSession(sessionId, { force: force === "true" }));
    },
  }),
  action("archive", "Removes the session from the lists.", (daemon, id) => daemon.archiveSession(id)),
  action("unarchive", "Adds an archived session to the lists again.", (daemon, id) => daemon.unarchiveSession(id)),
  action("close", "Ends the session and its agent; the next prompt opens it again.", (daemon, id) =>
    daemon.closeSession(id),
  ),
  action("interrupt", "Interrupts the running turn.", (daemon, id) => daemon.interruptSession(id)),
  reading<{ query: string; kind?: string; limitSessions?: number; limitHitsPerSession?: number }>({
    path: "/search",
    operationId: "searchSessions",
    summary: "Searches the conversations.",
    query: { query: QUERY.query, kind: QUERY.kind, limitSessions: QUERY.count, limitHitsPerSession: QUERY.count },
    answer: { description: "Hits, by session.", schema: SEARCH_RESULT },
    read: ({ daemon, query }) => daemon.searchSessions(query),
  }),
];

function action(
  name: string,
  summary: string,
  act: (daemon: HttpDaemon, sessionId: string) => Promise<unknown>,
): Route {
  return acting({
    method: "post",
    path: `/sessions/{sessionId}/${name}`,
    operationId: `${name}Session`,
    summary,
    outcome: "Done.",
    act({ daemon, param }) {
      const sessionId = param("sessionId");
      return daemon.onSession(sessionId, (one) => act(one, sessionId));
    },
  });
}

function shown(sessionId: string, { settings, history, position, title, cwd }: SessionSnapshot): object {
  const lastEventId = position === undefined ? undefined : eventId(position);
  return { sessionId, title, cwd, settings, messages: history, lastEventId };
}
