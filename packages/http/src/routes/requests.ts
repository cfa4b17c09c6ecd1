import type { AskUserReply, PermissionAnswer } from "@daemon-sdk/client";
import { ANSWER, QUERY, REQUESTS } from "../schemas/index.js";
import { done, json, type Route, route } from "./route.js";

/** Requests of agents to their users, and the answers. */
export const REQUEST_ROUTES: readonly Route[] = [
  route<{ sessionId?: string }>({
    method: "get",
    path: "/requests",
    operationId: "listRequests",
    summary: "Pending permission requests and questions, oldest first.",
    query: { sessionId: QUERY.sessionId },
    answers: { 200: { description: "The pending requests.", schema: REQUESTS } },
    handle: async ({ daemon, query }) => json({ requests: await daemon.listRequests(query) }),
  }),
  route({
    method: "post",
    path: "/requests/{requestId}/answer",
    operationId: "answerRequest",
    summary: "Answers a request. 409 with the valid `outcome` where it is answered already.",
    body: ANSWER,
    answers: { 204: { description: "Answered." } },
    async handle({ daemon, param, body }) {
      await daemon.answerRequest(param("requestId"), body as PermissionAnswer | AskUserReply);
      return done();
    },
  }),
];
