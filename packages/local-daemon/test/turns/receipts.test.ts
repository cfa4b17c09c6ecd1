import { sessionId, silentLogger } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { recover } from "../../src/sessions/recovery.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { FakeAgent } from "../sessions/fake-agent.js";
import { Harness, type TestClient } from "../sessions/harness.js";

async function receipts(client: TestClient, ...messageIds: string[]): Promise<Record<string, unknown>[]> {
  const { receipts: all } = await client.result("get_receipts", { sessionId: "s-1", messageIds });
  return all as Record<string, unknown>[];
}

async function prompt(client: TestClient, agent: FakeAgent, id: string, count: number): Promise<void> {
  await client.call("add_user_message", { sessionId: "s-1", text: id, messageId: id });
  await agent.prompted(count);
}

test("a receipt tells each state of a message, its end, and the answer as the conversation has it", async () => {
  await using harness = await Harness.start({ now: () => 5_000 });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await prompt(client, agent, "m-1", 1);
  await client.call("add_user_message", { sessionId: "s-1", text: "2", messageId: "m-2" });
  expect(await receipts(client, "m-2", "never", "m-1")).toEqual([
    { messageId: "m-2", state: "accepted", acceptedAt: 5_000 },
    { messageId: "never", state: "unknown" },
    { messageId: "m-1", state: "handed", acceptedAt: 5_000, firstSeq: 1 },
  ]);
  agent.started();
  agent.message("a-0", "assistant", "Let me look.");
  agent.tell({ type: "tool_result", messageId: "a-0", toolUseId: "t", content: "no answer" });
  agent.message("a-1", "assistant", "The answer.");
  await harness.committer.drain();
  expect(await receipts(client, "m-1")).toEqual([
    { messageId: "m-1", state: "running", acceptedAt: 5_000, firstSeq: 1 },
  ]);
  agent.end();
  await client.turnEnd("m-1");
  const [done] = await receipts(client, "m-1");
  const ended = { messageId: "m-1", acceptedAt: 5_000, endedAt: 5_000, firstSeq: 1, lastSeq: expect.any(Number) };
  expect(done).toEqual({ ...ended, state: "completed", reason: "completed", text: "The answer." });

  await agent.prompted(2);
  agent.message("a-2", "assistant", "Half");
  agent.end("cancelled");
  await client.turnEnd("m-2");
  expect(await receipts(client, "m-2")).toMatchObject([{ state: "interrupted", reason: "cancelled", text: "Half" }]);
  // Each turn has its own.
  expect(await receipts(client, "m-1")).toMatchObject([{ text: "The answer." }]);
  agent.tell({ type: "assistant_message_retracted", messageId: "a-1" });
  await harness.committer.drain();
  expect((await receipts(client, "m-1"))[0]).not.toHaveProperty("text");
});

test("after a crash a receipt tells that the outcome is not known, with what the agent had answered", async () => {
  const store = new MemoryStore();
  const first = await Harness.start({ store });
  const client = await first.connect();
  await client.createSession("s-1");
  const agent = await first.spawner.agentOf("s-1");
  await prompt(client, agent, "m-1", 1);
  agent.started();
  agent.message("a-1", "assistant", "So far");
  await client.notified({ type: "create_message" });
  await client.call("add_user_message", { sessionId: "s-1", text: "2", messageId: "m-2" });

  await using harness = await Harness.start({ store });
  await recover(harness.host, silentLogger);
  const again = await harness.connect();
  expect(await receipts(again, "m-1", "m-2")).toMatchObject([
    { state: "outcome_unknown", reason: "daemon_restarted", text: "So far" },
    { state: "accepted" },
  ]);
});

test("receipts of a session that is not there are refused, as are more than 100 at once", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  expect((await client.call("get_receipts", { sessionId: "s-1", messageIds: [] })).error?.code).toBe(-32004);
  const messageIds = Array.from({ length: 101 }, (_, index) => `${index}`);
  expect((await client.call("get_receipts", { sessionId: "s-1", messageIds })).error?.code).toBe(-32602);
});

test("a turn is read again from its first entry to its last, and of one that is gone the messages are left", async () => {
  const store = new MemoryStore();
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (const [index, id] of ["m-1", "m-2"].entries()) {
    await prompt(client, agent, id, index + 1);
    agent.message(id, "user", "question");
    agent.message(`a-${id}`, "assistant", `The answer to ${id}.`);
    agent.end();
    await client.turnEnd(id);
  }
  const read = (messageId: string, fromSeq?: number) =>
    client.result("get_turn_events", { sessionId: "s-1", messageId, ...(fromSeq === undefined ? {} : { fromSeq }) });
  const whole = (await read("m-2")) as { events: { seq: number; notification: { type: string } }[] };
  const types = whole.events.map(({ notification }) => notification.type);
  expect(types).toContain("agent_turn_completed");
  expect(types.filter((type) => type === "create_message")).toHaveLength(2);
  expect(whole).not.toHaveProperty("nextSeq");
  const lastSeq = whole.events.at(-1)?.seq ?? 0;
  expect(await read("m-2", lastSeq)).toMatchObject({ events: [{ seq: lastSeq }] });
  expect(await read("m-2", lastSeq + 1)).toMatchObject({ events: [], receipt: { state: "completed" } });
  await store.commit([{ kind: "pruneJournal", sessionId: sessionId("s-1"), beforeSeq: lastSeq }]);
  expect(await read("m-1")).toMatchObject({
    events: [],
    messages: [{ id: "m-1" }, { id: "a-m-1" }],
    receipt: { state: "completed", text: "The answer to m-1." },
  });
  expect(await read("never")).toEqual({ receipt: { messageId: "never", state: "unknown" }, events: [] });
});
