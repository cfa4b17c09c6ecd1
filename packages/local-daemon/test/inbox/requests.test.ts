import { silentLogger } from "@daemon-sdk/protocol";
import { METHOD_SCHEMAS } from "@daemon-sdk/protocol/schema";
import { expect, test } from "vitest";
import * as z from "zod/mini";
import { recover } from "../../src/sessions/recovery.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness, type TestClient } from "../sessions/harness.js";
import { PERMISSION } from "./permission.js";

const QUESTIONS = { toolCallId: "t-2", questions: [{ index: 1, topic: "a", question: "b?", options: [] }] };

async function running(harness: Harness, client: TestClient, id: string) {
  await client.createSession(id);
  const agent = await harness.spawner.agentOf(id);
  await client.call("add_user_message", { sessionId: id, text: "Hi", messageId: `m-${id}` });
  await agent.prompted(1);
  return agent;
}

async function listed(client: TestClient, params: object = {}): Promise<Record<string, unknown>[]> {
  const result = await client.result("list_requests", params);
  expect(z.safeParse(METHOD_SCHEMAS.listRequests.result, result).success).toBe(true);
  return result.requests as Record<string, unknown>[];
}

test("what all sessions wait for is listed, oldest first, and answered by a client that follows none of them", async () => {
  await using harness = await Harness.start({ now: () => 7_000 });
  const asker = await harness.connect();
  const agents = [await running(harness, asker, "s-1"), await running(harness, asker, "s-2")];
  agents[1]?.ask("ask_user", QUESTIONS);
  const question = await asker.request("ask_user");
  agents[0]?.ask("request_permission", PERMISSION);
  const permission = await asker.request("request_permission");

  const stranger = await harness.connect();
  const both = [
    {
      requestId: question.id,
      sessionId: "s-2",
      method: "ask_user",
      createdAt: 7_000,
      params: { ...QUESTIONS, sessionId: "s-2" },
    },
    {
      requestId: permission.id,
      sessionId: "s-1",
      method: "request_permission",
      createdAt: 7_000,
      params: { ...PERMISSION, sessionId: "s-1" },
    },
  ];
  expect(await listed(stranger)).toEqual(both);
  expect(await listed(stranger, { sessionId: "s-1" })).toEqual(both.slice(1));
  const result = { selectedOption: "proceed_once" };
  expect(await stranger.result("answer_request", { requestId: permission.id, result })).toEqual({});
  expect(agents[0]?.answers).toEqual([result]);
  await asker.notified({ type: "permission_resolved", requestId: permission.id, selectedOption: "proceed_once" });
  expect(await listed(stranger)).toEqual(both.slice(0, 1));
});

test("the first valid answer wins: a later one is refused with what won, the same one again is taken again", async () => {
  await using harness = await Harness.start();
  const asker = await harness.connect();
  const agent = await running(harness, asker, "s-1");
  agent.ask("request_permission", PERMISSION);
  const { id: requestId } = await asker.request("request_permission");
  const result = { selectedOption: "proceed_once", comment: "fine" };
  const invalid = await asker.call("answer_request", { requestId, result: { selectedOption: "proceed_always" } });
  expect(invalid.error?.code).toBe(-32602);
  const [won, late] = await Promise.all([
    asker.call("answer_request", { requestId, result }),
    asker.call("answer_request", { requestId, result: { selectedOption: "cancel" } }),
  ]);
  expect(won.result).toEqual({});
  expect(late.error).toMatchObject({ code: -32603, data: { code: "REQUEST_NOT_PENDING", outcome: result } });
  // As after a lost connection: another one, of the same person.
  const again = await harness.connect();
  expect((await again.call("answer_request", { requestId, result })).result).toEqual({});
  const key = harness.dial();
  await key.authenticate({ apiKey: "a-configured-key-0" });
  const foreign = await key.call("answer_request", { requestId, result });
  expect(foreign.error?.data).toEqual({ code: "REQUEST_NOT_PENDING", retryable: false });
  const unknown = await again.call("answer_request", { requestId: "never", result });
  expect(unknown.error?.data).toEqual(foreign.error?.data);
  expect(agent.answers).toEqual([result]);
});

test("a request whose turn ended, and one that a killed daemon left, tell why they wait no more", async () => {
  const store = new MemoryStore();
  const first = await Harness.start({ store });
  const asker = await first.connect();
  const agents = [await running(first, asker, "s-1"), await running(first, asker, "s-2")];
  agents[0]?.ask("request_permission", PERMISSION);
  const over = await asker.request("request_permission");
  agents[0]?.end();
  await asker.turnEnd("m-s-1");
  agents[1]?.ask("request_permission", PERMISSION);
  const left = await asker.request("request_permission", 2);

  await using harness = await Harness.start({ store });
  await recover(harness.host, silentLogger);
  const client = await harness.connect();
  expect(await listed(client)).toEqual([]);
  for (const [{ id: requestId }, reason] of [
    [over, "turn_ended"],
    [left, "daemon_restarted"],
  ] as const) {
    const { error } = await client.call("answer_request", { requestId, result: { selectedOption: "proceed_once" } });
    expect(error?.data).toMatchObject({ code: "REQUEST_NOT_PENDING", outcome: { selectedOption: "cancel", reason } });
  }
});

test("a request is closed as cancelled at its deadline, which everybody can see", async () => {
  await using harness = await Harness.start({ requestTimeoutMs: 60_000, now: () => 1_000 });
  const asker = await harness.connect();
  const agent = await running(harness, asker, "s-1");
  agent.ask("ask_user", QUESTIONS);
  await asker.request("ask_user");
  expect(await listed(asker)).toMatchObject([{ deadlineAt: 61_000 }]);
  const { pendingAskUserRequests } = await asker.loadSession("s-1");
  expect(pendingAskUserRequests).toMatchObject([{ deadlineAt: 61_000 }]);

  await using hasty = await Harness.start({ requestTimeoutMs: 1 });
  const client = await hasty.connect();
  const other = await running(hasty, client, "s-1");
  other.ask("request_permission", PERMISSION);
  const { id } = await client.request("request_permission");
  await client.notified({ type: "permission_resolved", requestId: id, selectedOption: "cancel" });
  expect(other.answers).toEqual([{ selectedOption: "cancel" }]);
  const { error } = await client.call("answer_request", { requestId: id, result: { selectedOption: "proceed_once" } });
  expect(error?.data).toMatchObject({ outcome: { reason: "deadline" } });
});
