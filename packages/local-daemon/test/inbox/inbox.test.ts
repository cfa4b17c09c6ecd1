import { expect, test } from "vitest";
import { Harness, type TestClient } from "../sessions/harness.js";
import { PERMISSION } from "./permission.js";

const QUESTIONS = {
  toolCallId: "t-2",
  questions: [{ index: 1, topic: "Colour", question: "Which?", options: ["red", "blue"] }],
};

/** A session whose agent works on a prompt of `client`. */
async function running(harness: Harness, client: TestClient) {
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  return agent;
}

/** Everything that was sent to the client has arrived. */
function roundTrip(client: TestClient) {
  return client.call("list_opened_sessions", {});
}

test("a permission request reaches the client with the session's id, and its answer the agent, after it is stored", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const agent = await running(harness, client);
  agent.ask("request_permission", PERMISSION);
  const request = await client.request("request_permission");
  expect(request.params).toMatchObject({ sessionId: "s-1", ...PERMISSION });
  expect(request._meta).toMatchObject({ epoch: harness.epoch });
  client.respond(String(request.id), { selectedOption: "proceed_once", comment: "fine", sessionId: "s-1", extra: 1 });
  await client.notified({ type: "permission_resolved", requestId: request.id, selectedOption: "proceed_once" });
  expect(agent.answers).toEqual([{ selectedOption: "proceed_once", comment: "fine" }]);
  expect(await harness.store.readRequest(String(request.id))).toMatchObject({
    turnId: "m-1",
    method: "request_permission",
  });
  expect(JSON.parse((await harness.store.readRequest(String(request.id)))?.outcome ?? "")).toMatchObject({
    selectedOption: "proceed_once",
  });
});

test("a request is listed by load_session and answered from a connection that never got it, after the asker is gone", async () => {
  await using harness = await Harness.start();
  const asker = await harness.connect();
  const agent = await running(harness, asker);
  agent.ask("ask_user", QUESTIONS);
  const { id } = await asker.request("ask_user");
  asker.close();
  await asker.closed();

  const other = await harness.connect();
  const { pendingAskUserRequests, pendingPermissions } = await other.loadSession("s-1");
  expect(pendingPermissions).toEqual([]);
  expect(pendingAskUserRequests).toEqual([{ requestId: id, ...QUESTIONS }]);

  const stranger = await harness.connect();
  stranger.respond(String(id), { answers: [{ index: 1, question: "Which?", answer: "red" }] });
  expect(await other.notified({ type: "ask_user_resolved" })).toEqual({
    type: "ask_user_resolved",
    requestId: id,
    toolCallId: "t-2",
    cancelled: false,
  });
  expect(agent.answers).toEqual([{ cancelled: false, answers: [{ index: 1, question: "Which?", answer: "red" }] }]);
});

test("the first valid answer wins; later and invalid ones are counted, and everybody is told once", async () => {
  await using harness = await Harness.start();
  const first = await harness.connect();
  const agent = await running(harness, first);
  const second = await harness.connect();
  await second.loadSession("s-1");
  agent.ask("request_permission", PERMISSION);
  const id = String((await first.request("request_permission")).id);
  expect((await second.request("request_permission")).id).toBe(id);

  first.respond(id, { selectedOption: "proceed_always" });
  first.respond(id, { answers: [] });
  first.sendText(
    JSON.stringify({
      jsonrpc: "2.0",
      factoryApiVersion: "1.0.0",
      type: "response",
      id,
      error: { code: -32603, message: "x" },
    }),
  );
  await roundTrip(first);
  second.respond(id, { selectedOption: "cancel" });
  first.respond(id, { selectedOption: "proceed_once" });
  agent.delta("the end");
  for (const client of [first, second]) {
    await client.notified({ textDelta: "the end" });
    expect(client.types().filter((type) => type === "permission_resolved")).toHaveLength(1);
  }
  expect(agent.answers).toEqual([{ selectedOption: "cancel" }]);
  expect([harness.inbox.invalidAnswers, harness.inbox.lateAnswers]).toEqual([3, 1]);
});

test("only one plain client is asked: the one that started the turn", async () => {
  await using harness = await Harness.start();
  const starter = await harness.connectPlain();
  const agent = await running(harness, starter);
  const [watcher, ours] = [await harness.connectPlain(), await harness.connect()];
  for (const client of [watcher, ours]) await client.loadSession("s-1");
  agent.ask("request_permission", PERMISSION);
  await starter.request("request_permission");
  await ours.request("request_permission");
  await roundTrip(watcher);
  expect(watcher.seen.filter(({ type }) => type === "request")).toEqual([]);
});

test("a client that authenticated by token, but says it leaves what it cannot answer, is asked beside the plain one", async () => {
  await using harness = await Harness.start();
  const starter = await harness.connectPlain();
  const agent = await running(harness, starter);
  const ours = await harness.connectPlain();
  await ours.loadSession("s-1", { inbox: true });
  agent.ask("request_permission", PERMISSION);
  const [asked, alsoAsked] = await Promise.all([
    starter.request("request_permission"),
    ours.request("request_permission"),
  ]);
  expect(alsoAsked.id).toBe(asked.id);
});

test("a plain client that leaves passes the question on to the next one, once", async () => {
  await using harness = await Harness.start();
  const starter = await harness.connectPlain();
  const agent = await running(harness, starter);
  const watcher = await harness.connectPlain();
  await watcher.loadSession("s-1");
  agent.ask("request_permission", PERMISSION);
  const { id } = await starter.request("request_permission");
  starter.close();
  await starter.closed();
  expect((await watcher.request("request_permission")).id).toBe(id);
  watcher.respond(String(id), { selectedOption: "proceed_once" });
  await watcher.notified({ type: "permission_resolved" });
  expect(agent.answers).toEqual([{ selectedOption: "proceed_once" }]);
});

test("a plain client whose handler failed means no: nobody else was asked", async () => {
  await using harness = await Harness.start();
  const client = await harness.connectPlain();
  const agent = await running(harness, client);
  agent.ask("ask_user", QUESTIONS);
  const { id } = await client.request("ask_user");
  const error = { code: -32603, message: "Failed to handle ask-user request" };
  client.sendText(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "response", id, error }));
  await client.notified({ type: "ask_user_resolved", cancelled: true });
  expect(agent.answers).toEqual([{ cancelled: true, answers: [] }]);
});

test("the end of a turn closes its requests before it is told, and so does the death of the agent", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const agent = await running(harness, client);
  agent.ask("request_permission", PERMISSION);
  await client.request("request_permission");
  agent.die();
  await client.turnEnd("m-1");
  const types = client.types();
  expect(types.indexOf("permission_resolved")).toBeLessThan(types.indexOf("agent_turn_completed"));
  expect(types.filter((type) => type === "permission_resolved")).toHaveLength(1);
  expect(await harness.store.pendingRequests()).toEqual([]);
});

test("a request that the agent closes itself is told under our id, and the agent's own word is not passed on", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const agent = await running(harness, client);
  agent.ask("request_permission", PERMISSION, "agent-7");
  const { id } = await client.request("request_permission");
  const told = { type: "permission_resolved", requestId: "agent-7", toolUseIds: ["t-1"], selectedOption: "cancel" };
  agent.tell(told);
  agent.tell(told);
  agent.delta("after");
  await client.notified({ textDelta: "after" });
  const resolved = client.notifications().filter(({ type }) => type === "permission_resolved");
  expect(resolved).toEqual([{ ...told, requestId: id }]);
});

test("equal ids of two agents' requests do not meet", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2");
  const agents = [await harness.spawner.agentOf("s-1"), await harness.spawner.agentOf("s-2")];
  for (const agent of agents) agent.ask("request_permission", PERMISSION, "1");
  const requests = [await client.request("request_permission", 1), await client.request("request_permission", 2)];
  const ofSecond = requests.find(({ params }) => params.sessionId === "s-2");
  client.respond(String(ofSecond?.id), { selectedOption: "proceed_once" });
  await client.notified({ type: "permission_resolved" });
  expect(agents.map(({ answers }) => answers)).toEqual([[], [{ selectedOption: "proceed_once" }]]);
});

test("a failure of the plain client leaves the question to ours, when ours was asked, too", async () => {
  await using harness = await Harness.start();
  const plain = await harness.connectPlain();
  const agent = await running(harness, plain);
  const ours = await harness.connect();
  await ours.loadSession("s-1");
  agent.ask("request_permission", PERMISSION);
  const id = String((await plain.request("request_permission")).id);
  await ours.request("request_permission");
  const error = { code: -32603, message: "Failed to handle permission request" };
  plain.sendText(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "response", id, error }));
  await roundTrip(plain);
  ours.respond(id, { selectedOption: "proceed_once" });
  await plain.notified({ type: "permission_resolved", selectedOption: "proceed_once" });
  expect(agent.answers).toEqual([{ selectedOption: "proceed_once" }]);
});
