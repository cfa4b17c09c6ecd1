import { expectEqual, expectThat } from "../expectation.js";
import { answerOf, asked, pendingIds, requestsOn, yes } from "./asking.js";
import { daemonCase } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";

/** docs/protocol.md §8: requests of agents, and the connections that receive them. */
export const INBOX_CASES: readonly DaemonCase[] = [
  daemonCase(
    "P8.1-permission",
    "a permission is asked for with options, and its turn goes on with the answer",
    async (bench) => {
      const { opened, request } = await asked(bench, "permission");
      expectEqual(request.method, "daemon.request_permission", "the method");
      expectThat(Array.isArray(request.params?.toolUses), "the request names no tool uses");
      opened.client.respond(request.id, yes(request));
      await opened.client.turnEnd(opened.messageId);
    },
    ["turns"],
  ),

  daemonCase(
    "P8.2-question",
    "a question is asked with its options, and its turn goes on with the answer",
    async (bench) => {
      const { opened, request } = await asked(bench, "question");
      expectEqual(request.method, "daemon.ask_user", "the method");
      opened.client.respond(request.id, answerOf(request));
      await opened.client.turnEnd(opened.messageId);
    },
    ["turns"],
  ),

  daemonCase(
    "P8.3-stored",
    "a request stays pending when its connection drops, and a snapshot lists it",
    async (bench) => {
      for (const kind of ["permission", "question"] as const) {
        const { opened, request } = await asked(bench, kind);
        opened.client.transport.terminate();
        const { client, snapshot } = await bench.join(opened.sessionId);
        expectEqual(pendingIds(snapshot), [request.id], "ids of what is pending");
        client.respond(request.id, kind === "permission" ? yes(request) : answerOf(request));
        await client.turnEnd(opened.messageId);
      }
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.4-everyone",
    "every attached connection that uses extensions is asked, each once",
    async (bench) => {
      const session = await bench.session();
      const { client: second } = await bench.join(session.sessionId);
      const { opened, request } = await asked(bench, "permission", session);
      const other = await second.serverRequest(opened.sessionId);
      expectEqual(other.id, request.id, "the id on the second connection");
      second.respond(request.id, yes(request));
      await second.turnEnd(opened.messageId);
      await opened.client.turnEnd(opened.messageId);
      for (const client of [second, opened.client])
        expectEqual(requestsOn(client).length, 1, "requests on one connection");
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.5-one-plain",
    "of plain connections only the one that sent the message is asked",
    async (bench) => {
      const session = await bench.session({ isPlain: true });
      const { client: other } = await bench.join(session.sessionId, { isPlain: true });
      const { opened, request } = await asked(bench, "permission", session);
      await bench.settle(other);
      expectEqual(requestsOn(other).length, 0, "requests on the other plain connection");
      opened.client.respond(request.id, yes(request));
      await opened.client.turnEnd(opened.messageId);
    },
    ["turns", "inbox"],
  ),

  daemonCase(
    "P8.6-next-plain",
    "when the asked plain connection leaves, the next one is asked",
    async (bench) => {
      const session = await bench.session({ isPlain: true });
      const { client: other } = await bench.join(session.sessionId, { isPlain: true });
      const { opened, request } = await asked(bench, "permission", session);
      opened.client.transport.close();
      const again = await other.serverRequest(opened.sessionId);
      expectEqual(again.id, request.id, "the id");
      other.respond(request.id, yes(request));
      await other.turnEnd(opened.messageId);
    },
    ["turns", "inbox"],
  ),
];
