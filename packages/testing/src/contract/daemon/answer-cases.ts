import { expectEqual, expectThat } from "../expectation.js";
import { isNotification } from "../wire-frame.js";
import { answerOf, asked, outcomeOf, pendingIds, resolutions, yes } from "./asking.js";
import { daemonCase } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";

/** docs/protocol.md §8: which answer counts, and which connections are notified. */
export const ANSWER_CASES: readonly DaemonCase[] = [
  daemonCase(
    "P8.7-anyone",
    "a connection that was never asked may answer by the request's id",
    async (bench) => {
      const { opened, request } = await asked(bench, "permission");
      const stranger = await bench.client();
      stranger.respond(request.id, yes(request));
      await opened.client.turnEnd(opened.messageId);
      expectEqual(resolutions(opened).map(outcomeOf), [yes(request).selectedOption], "how it was resolved");
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.8-first-wins",
    "the first answer wins, and a later one has no effect",
    async (bench) => {
      const { opened, request } = await asked(bench, "permission");
      const stranger = await bench.client();
      opened.client.respond(request.id, yes(request));
      await opened.client.turnEnd(opened.messageId);
      stranger.respond(request.id, { selectedOption: "cancel", sessionId: opened.sessionId });
      await bench.settle(stranger, opened.client);
      expectEqual(resolutions(opened).map(outcomeOf), [yes(request).selectedOption], "how it was resolved");
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.9-no-offer",
    "an answer that the request does not offer resolves nothing",
    async (bench) => {
      const session = await bench.session();
      await bench.join(session.sessionId);
      const { opened, request } = await asked(bench, "permission", session);
      opened.client.respond(request.id, { selectedOption: "no_such_option", sessionId: opened.sessionId });
      await bench.settle(opened.client);
      const { snapshot } = await bench.join(opened.sessionId);
      expectEqual(pendingIds(snapshot), [request.id], "what is pending after it");
      opened.client.respond(request.id, yes(request));
      await opened.client.turnEnd(opened.messageId);
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.10-resolved-once",
    "every attached connection is notified once that a permission was resolved",
    async (bench) => {
      const session = await bench.session();
      const { client: second } = await bench.join(session.sessionId);
      const { opened, request } = await asked(bench, "permission", session);
      second.respond(request.id, yes(request));
      const toolUses = (request.params?.toolUses ?? []) as { toolUse: { id: string } }[];
      const toolUseIds = toolUses.map(({ toolUse }) => toolUse.id);
      for (const client of [opened.client, second]) {
        await client.turnEnd(opened.messageId);
        const [told, ...more] = resolutions({ client, sessionId: opened.sessionId });
        const { requestId, toolUseIds: ids, selectedOption } = told ?? {};
        const expected = { requestId: request.id, toolUseIds, selectedOption: yes(request).selectedOption };
        expectEqual({ requestId, toolUseIds: ids, selectedOption }, expected, "what was told");
        expectEqual(more.length, 0, "times it was told again");
      }
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.11-question-resolved",
    "every attached connection is told once that a question was resolved",
    async (bench) => {
      const { opened, request } = await asked(bench, "question");
      opened.client.respond(request.id, answerOf(request));
      await opened.client.turnEnd(opened.messageId);
      const told = opened.client
        .entries(opened.sessionId)
        .filter((frame) => isNotification(frame, "ask_user_resolved"));
      const { requestId, toolCallId, cancelled }: Record<string, unknown> = told[0]?.params?.notification ?? {};
      const expected = { requestId: request.id, toolCallId: request.params?.toolCallId, cancelled: false };
      expectEqual({ requestId, toolCallId, cancelled }, expected, "what was told");
      expectEqual(told.length, 1, "times it was told");
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.12-turn-ended",
    "a request whose turn ends without an answer is closed as cancelled",
    async (bench) => {
      const { opened } = await asked(bench, "permission");
      await opened.client.result("interrupt_session", { sessionId: opened.sessionId });
      await opened.client.turnEnd(opened.messageId);
      expectEqual(resolutions(opened).map(outcomeOf), ["cancel"], "how it was resolved");
      const { snapshot } = await bench.join(opened.sessionId);
      expectEqual(pendingIds(snapshot), [], "what is pending after it");
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.13-restart",
    "a restarted daemon has closed what was pending",
    async (bench) => {
      const { opened } = await asked(bench, "permission");
      await bench.harness.restart?.("killed");
      const { snapshot } = await bench.join(opened.sessionId);
      expectEqual(pendingIds(snapshot), [], "what is pending after it");
    },
    ["turns", "inbox", "restart"],
  ),

  daemonCase(
    "P8.14-list",
    "list_requests tells what is pending in all sessions, oldest first, or in one",
    async (bench) => {
      const first = await asked(bench, "permission");
      const second = await asked(bench, "question");
      const client = await bench.client();
      const all = (await client.result("list_requests")).requests as Listed[];
      const ours = all.filter(({ sessionId }) => [first, second].some(({ opened }) => opened.sessionId === sessionId));
      expectEqual(
        ours.map(({ requestId }) => requestId),
        [first.request.id, second.request.id],
        "ids",
      );
      expectEqual(
        ours.map(({ method }) => method),
        ["request_permission", "ask_user"],
        "methods",
      );
      expectThat(
        ours.every(({ createdAt }) => typeof createdAt === "number"),
        "a request has no createdAt",
      );
      const { sessionId } = second.opened;
      const one = (await client.result("list_requests", { sessionId })).requests as Listed[];
      expectEqual(
        one.map(({ requestId }) => requestId),
        [second.request.id],
        "ids of one session",
      );
    },
    ["turns", "requests"],
  ),

  daemonCase(
    "P8.15-answer",
    "answer_request answers from any connection, and refuses what is not offered",
    async (bench) => {
      const { opened, request } = await asked(bench, "permission");
      const client = await bench.client();
      const wrong = { requestId: request.id, result: { selectedOption: "no_such_option" } };
      expectEqual(await client.codeOf("answer_request", wrong), -32_602, "the code of an answer that is not offered");
      const right = { requestId: request.id, result: yes(request) };
      expectEqual(await client.result("answer_request", right), {}, "the result");
      await opened.client.turnEnd(opened.messageId);
      expectEqual(resolutions(opened).map(outcomeOf), [yes(request).selectedOption], "how it was resolved");
    },
    ["turns", "requests"],
  ),

  daemonCase(
    "P8.16-late",
    "a late answer_request is told what won; the winner may repeat its own",
    async (bench) => {
      const { opened, request } = await asked(bench, "permission");
      const client = await bench.client();
      const answer = { requestId: request.id, result: yes(request) };
      await client.result("answer_request", answer);
      await opened.client.turnEnd(opened.messageId);
      expectEqual(await client.result("answer_request", answer), {}, "the same answer again");
      const late = await opened.client.call("answer_request", { ...answer, result: { selectedOption: "cancel" } });
      expectEqual([late.error?.code, late.error?.data?.code], [-32_603, "REQUEST_NOT_PENDING"], "the refusal");
      expectThat(late.error?.data?.outcome !== undefined, "the refusal does not tell what won");
    },
    ["turns", "requests"],
  ),
];

interface Listed {
  readonly requestId: string;
  readonly sessionId: string;
  readonly method: string;
  readonly createdAt: unknown;
}
