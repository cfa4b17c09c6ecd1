import { expect, test } from "vitest";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { FakeAgent } from "./fake-agent.js";
import { Harness, type TestClient } from "./harness.js";

const KEY = "a-key-with-a-quota-0";
const KEYS = [{ key: KEY, name: "ci", quotas: { storedBytes: 200_000 } }, { key: "a-key-without-one-0" }];
const ID = "11111111-1111-4111-8111-111111111111";
const KIB = 1024;

async function ofKey(harness: Harness, apiKey = KEY, sessionId = ID): Promise<TestClient> {
  const client = harness.dial();
  await client.authenticate({ apiKey });
  await client.result("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId });
  return client;
}

/** A turn in which the agent sends so many messages of a KiB, each stored before the next one, and ends. */
async function turn(harness: Harness, client: TestClient, kib: number): Promise<object> {
  const agent = harness.spawner.agents[0] as FakeAgent;
  await client.result("add_user_message", { sessionId: ID, text: "t", messageId: "m-1" });
  await agent.prompted(1);
  agent.started();
  for (let index = 0; index < kib; index += 1) {
    agent.message(`a-${index}`, "assistant", "x".repeat(KIB));
    await harness.host.find(ID)?.log.settled();
  }
  agent.end(agent.interrupts === 0 ? "completed" : "cancelled");
  return client.turnEnd("m-1");
}

test("past its quota of stored bytes a key begins nothing new, and deleting a session makes room", async () => {
  await using harness = await Harness.start({ keys: KEYS, store: new SqliteStore({ path: ":memory:" }) });
  const client = await ofKey(harness);
  const agent = harness.spawner.agents[0] as FakeAgent;
  // An entry and the message itself: twice the text.
  expect(await turn(harness, client, 90)).toMatchObject({ reason: "completed" });
  const refused = {
    code: -32_603,
    message: expect.stringMatching(
      /^2\d{5} bytes are stored in the sessions of this key.*200000 may be \(quotas\.storedBytes\)/,
    ),
    data: { code: "QUOTA_EXCEEDED", retryable: false },
  };
  const calls = [
    ["add_user_message", { sessionId: ID, text: "more" }],
    ["initialize_session", { token: "t", machineId: "m", cwd: "/" }],
    ["rename_session", { sessionId: ID, title: "t" }],
    ["update_session_settings", { sessionId: ID, tags: [] }],
  ] as const;
  for (const [method, params] of calls)
    expect((await client.call(method, params)).error, method).toMatchObject(refused);
  agent.onCall = () => ({ newSessionId: "fork-1" });
  expect((await client.call("fork_session", { sessionId: ID })).error).toMatchObject(refused);
  const other = await ofKey(harness, KEYS[1]?.key, "22222222-2222-4222-8222-222222222222");
  expect((await other.call("add_user_message", { sessionId: ID, text: "t" })).error?.code).toBe(-32_004);
  const row = await client.call("get_session_messages", { sessionId: ID });
  expect(row.error, "what is stored can be read").toBeUndefined();
  await client.result("delete_session", { sessionId: ID });
  await harness.host.dropped();
  await client.result("initialize_session", { token: "t", machineId: "m", cwd: "/" });
});

test("a turn that runs goes on past the quota, and is interrupted with a notice a fourth further", async () => {
  await using harness = await Harness.start({ keys: KEYS, store: new SqliteStore({ path: ":memory:" }) });
  const client = await ofKey(harness);
  const agent = harness.spawner.agents[0] as FakeAgent;
  // It does not stop at once.
  agent.onInterrupt = () => {};
  const end = await turn(harness, client, 300);
  expect(agent.interrupts).toBe(1);
  expect(end).toMatchObject({ reason: "cancelled", message: expect.stringContaining("(quotas.storedBytes)") });
  const notices = client.notifications().filter(({ type }) => type === "session_notice");
  expect(notices).toEqual([expect.objectContaining({ code: "QUOTA_EXCEEDED" })]);
  const { length } = client.notifications().filter(({ type }) => type === "create_message");
  expect(length).toBeGreaterThan(80);
  expect(length).toBeLessThan(120);
  expect(harness.store.storedBytes?.all().size).toBe(1);
});
