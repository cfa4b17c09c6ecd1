import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness, type TestClient } from "../sessions/harness.js";

interface Page {
  readonly events: readonly {
    readonly seq: number;
    readonly turnId?: string;
    readonly notification: { type: string };
  }[];
  readonly position: { readonly epoch: number; readonly seq: number };
  readonly isIncomplete?: boolean;
}

async function page(client: TestClient, params: object): Promise<Page> {
  const { result } = await client.call("get_session_events", { sessionId: "s-1", ...params });
  return result as unknown as Page;
}

async function turn(harness: Harness, client: TestClient, messageId: string): Promise<void> {
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId });
  const agent = await harness.spawner.agentOf("s-1");
  await agent.prompted(1);
  agent.delta("words");
  agent.end();
  await client.notified({ type: "agent_turn_completed", turnId: messageId });
}

test("a session that is only stored is read without being opened, and a reader waits for what another client begins", async () => {
  const store = new MemoryStore();
  const first = await Harness.start({ store });
  const maker = await first.connect();
  await maker.createSession("s-1");
  await turn(first, maker, "m-1");
  await using harness = await Harness.start({ store });
  const reader = await harness.connect();
  const { events, position } = await page(reader, { after: { epoch: 0, seq: 0 } });
  expect(events.filter(({ turnId }) => turnId === "m-1").length).toBeGreaterThan(3);
  expect(harness.host.find("s-1")).toBeUndefined();
  const waiting = page(reader, { after: position, waitMs: 60_000 });
  const other = await harness.connect();
  await other.call("load_session", { sessionId: "s-1", token: "local" });
  await turn(harness, other, "m-2");
  expect((await waiting).events[0]).toMatchObject({ seq: position.seq + 1, turnId: "m-2" });
});

test("the entries of a message that is discarded while it waits are of its turn, in the midst of the one that runs", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  const agent = await harness.spawner.agentOf("s-1");
  await agent.prompted(1);
  agent.delta("before");
  await client.notified({ textDelta: "before" });
  await client.call("add_user_message", { sessionId: "s-1", text: "Later", messageId: "m-2" });
  await client.call("interrupt_session", { sessionId: "s-1", messageId: "m-2" });
  await client.notified({ type: "agent_turn_completed", turnId: "m-2" });
  agent.delta("after");
  await client.notified({ textDelta: "after" });
  const { events } = await page(client, { after: { epoch: 0, seq: 0 } });
  const turns = events.map(({ notification, turnId }) => [notification.type, turnId]);
  expect(turns.filter(([, turnId]) => turnId === "m-2").map(([type]) => type)).toEqual([
    "queued_messages_discarded",
    "agent_turn_completed",
  ]);
  expect(turns.filter(([type]) => type === "assistant_text_delta")).toEqual([
    ["assistant_text_delta", "m-1"],
    ["assistant_text_delta", "m-1"],
  ]);
});

test("a logout answers a call that waits, and a connection that ends leaves no wait behind", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const { position } = await page(client, {});
  const waiting = page(client, { after: position, waitMs: 60_000 });
  await client.call("logout", {});
  expect((await waiting).events).toEqual([]);
});
