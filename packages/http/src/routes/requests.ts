import type { AskUserReply, PermissionAnswer } from "@daemon-sdk/client";
import { ANSWER, QUERY, REQUESTS } from "../schemas/index.js";
import { acting, type Route, reading } from "./route.js";

/** Requests of agents to their users, and the answers. */
export const REQUEST_ROUTES: readonly Route[] = [
  reading<{ sessionId?: string }>({
    path: "/requests",
    operationId: "listRequests",
    summary: "Pending permission requests and questions, oldest first.",
    query: { sessionId: QUERY.sessionId },
    answer: { description: "The pending requests.", schema: REQUESTS },
    read: ({ daemon, query }) => daemon.listRequests(query),
  }),
  acting({
    method: "post",
    path: "/requests/{requestId}/answer",
    operationId: "answerRequest",
    summary: "Answers a request. 409 with the valid `outcome` where it is answered already.",
    body: ANSWER,
    outcome: "Answered.",
    act: ({ daemon, param, body }) => daemon.answerRequest(param("requestId"), body as PermissionAnswer | AskUserReply),
  }),
];
