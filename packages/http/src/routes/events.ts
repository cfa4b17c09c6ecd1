import { eventStream, positionOf, SessionEvents } from "../events/index.js";
import { EVENT, QUERY } from "../schemas/index.js";
import { type Route, route } from "./route.js";

/** The events of a session. */
export const EVENT_ROUTES: readonly Route[] = [
  route<{ partial?: "true" | "false"; after?: string }>({
    method: "get",
    path: "/sessions/{sessionId}/events",
    operationId: "followSession",
    summary: "The events of all turns as server-sent events, replayed and live.",
    query: { partial: QUERY.partial, after: QUERY.after },
    headers: { "Last-Event-ID": "Id of the last event that was received: the events after it follow." },
    answers: { 200: { description: "Server-sent events.", schema: EVENT, mediaType: "text/event-stream" } },
    async handle({ daemon, principal, param, query, request, services }) {
      const lastId = request.headers.get("last-event-id") || query.after;
      const after = lastId === undefined ? undefined : positionOf(lastId);
      const release = services.streams.open(principal.id);
      const ending = new AbortController();
      const end = () => {
        ending.abort();
        release();
      };
      try {
        request.signal.addEventListener("abort", end, { once: true });
        if (request.signal.aborted) end();
        const options = { sessionId: param("sessionId"), after, partial: query.partial === "true" };
        const events = await SessionEvents.open(daemon, { ...options, signal: ending.signal });
        const { heartbeatMs, onError } = services;
        return new Response(eventStream(events, { heartbeatMs, end, onError }), { headers: HEADERS });
      } catch (error) {
        end();
        throw error;
      }
    },
  }),
];

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  // Asks nginx not to collect events before it sends them.
  "x-accel-buffering": "no",
} as const;
