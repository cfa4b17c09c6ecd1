import type { DaemonSessionOptions, SessionSnapshot } from "@daemon-sdk/client";
import { loadSession, NO_ANSWERS, released } from "../daemon/index.js";
import { eventId } from "../events/index.js";
import { NEW_SESSION, QUERY, SEARCH_RESULT, SESSION, SESSION_CHANGE, SESSION_PAGE } from "../schemas/index.js";
import { done, json, type Route, route } from "./route.js";

const DONE = { 204: { description: "Done." } } as const;
const SHOWN = { description: "The session.", schema: SESSION } as const;

/** Sessions: what there is, one of them, and what can be done with it as a whole. */
export const SESSION_ROUTES: readonly Route[] = [
  route<{ limit?: number; before?: number }>({
    method: "get",
    path: "/sessions",
    operationId: "listSessions",
    summary: "A page of all sessions, newest first.",
    query: { limit: QUERY.sessionLimit, before: QUERY.before },
    answers: { 200: { description: "A page.", schema: SESSION_PAGE } },
    handle: async ({ daemon, query: { limit, before } }) =>
      json(await daemon.listAvailableSessions(given({ limit, endBefore: before }))),
  }),
  route({
    method: "post",
    path: "/sessions",
    operationId: "createSession",
    summary: "Makes a session. The same `sessionId` again gives the same session.",
    body: NEW_SESSION,
    answers: { 201: SHOWN },
    async handle({ daemon, body, services }) {
      const session = await daemon.createSession({ ...(body as DaemonSessionOptions), ...NO_ANSWERS });
      const { sessionId } = session;
      const headers = { location: services.address(`/sessions/${encodeURIComponent(sessionId)}`) };
      return json(shown(sessionId, await released(session)), 201, headers);
    },
  }),
  route({
    method: "get",
    path: "/sessions/{sessionId}",
    operationId: "getSession",
    summary: "A session as it is now. Opens it where it was closed; starts no agent.",
    answers: { 200: SHOWN },
    async handle({ daemon, param }) {
      const sessionId = param("sessionId");
      return json(shown(sessionId, await loadSession(daemon, sessionId)));
    },
  }),
  route({
    method: "patch",
    path: "/sessions/{sessionId}",
    operationId: "renameSession",
    summary: "Sets the title.",
    body: SESSION_CHANGE,
    answers: DONE,
    async handle({ daemon, param, body }) {
      await daemon.renameSession(param("sessionId"), (body as { title: string }).title);
      return done();
    },
  }),
  route<{ force?: "true" | "false" }>({
    method: "delete",
    path: "/sessions/{sessionId}",
    operationId: "deleteSession",
    summary: "Deletes the session and its conversation. Nothing brings it back.",
    query: { force: QUERY.force },
    answers: DONE,
    async handle({ daemon, param, query: { force } }) {
      await daemon.deleteSession(param("sessionId"), { force: force === "true" });
      return done();
    },
  }),
  action("archive", "Removes the session from the lists.", (daemon, id) => daemon.archiveSession(id)),
  action("unarchive", "Adds an archived session to the lists again.", (daemon, id) => daemon.unarchiveSession(id)),
  action("close", "Ends the session and its agent; the next prompt opens it again.", (daemon, id) =>
    daemon.closeSession(id),
  ),
  action("interrupt", "Interrupts the running turn.", (daemon, id) => daemon.interruptSession(id)),
  route<{ query: string; kind?: string; limitSessions?: number; limitHitsPerSession?: number }>({
    method: "get",
    path: "/search",
    operationId: "searchSessions",
    summary: "Searches the conversations.",
    query: { query: QUERY.query, kind: QUERY.kind, limitSessions: QUERY.count, limitHitsPerSession: QUERY.count },
    answers: { 200: { description: "Hits, by session.", schema: SEARCH_RESULT } },
    handle: async ({ daemon, query }) => json(await daemon.searchSessions(query)),
  }),
];

function action(name: string, summary: string, act: (daemon: ActedOn, sessionId: string) => Promise<unknown>): Route {
  return route({
    method: "post",
    path: `/sessions/{sessionId}/${name}`,
    operationId: `${name}Session`,
    summary,
    answers: DONE,
    async handle({ daemon, param }) {
      await act(daemon, param("sessionId"));
      return done();
    },
  });
}

type ActedOn = Parameters<Route["handle"]>[0]["daemon"];

function shown(sessionId: string, { settings, history, position, title, cwd }: SessionSnapshot): object {
  const lastEventId = position === undefined ? undefined : eventId(position);
  return { sessionId, title, cwd, settings, messages: history, lastEventId };
}

/** The fields that are set: an optional field of the wire is absent, and never undefined. */
function given<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
}
