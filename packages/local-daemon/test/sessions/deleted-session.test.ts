import { sessionId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { STORAGE_LIMITS } from "../../src/limits/storage-limits.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { Store } from "../../src/storage/store.js";
import { databasePath } from "../storage/database-path.js";
import { message } from "../storage/store-contract.js";
import { Harness, type TestClient } from "./harness.js";

const S = sessionId("s-1");

async function turn(harness: Harness, client: TestClient, messageId: string): Promise<void> {
  await client.result("add_user_message", { sessionId: "s-1", text: messageId, messageId });
  const agent = await harness.spawner.agentOf("s-1");
  await agent.prompted(agent.prompts.length + (agent.prompts.at(-1)?.messageId === messageId ? 0 : 1));
  agent.message(`answer-${messageId}`, "assistant", `answer to ${messageId}`);
  agent.end();
  await client.turnEnd(messageId);
}

/** Resolves when nothing of the session is left in the store. */
async function dropped(store: Store): Promise<void> {
  while ((await store.drafts()).length > 0) await new Promise((resolve) => setImmediate(resolve));
}

test("a deleted session is gone for every client and from the store, and its id begins anew", async () => {
  await using harness = await Harness.start({ store: new SqliteStore({ path: databasePath() }) });
  const [owner, other] = [await harness.connect(), await harness.connect()];
  await owner.createSession("s-1");
  await other.loadSession("s-1");
  await turn(harness, owner, "m-1");
  expect(await owner.result("delete_session", { sessionId: "s-1" })).toEqual({});
  expect(await other.notified({ type: "session_closed" })).toMatchObject({ reason: "deleted" });
  expect(owner.types()).not.toContain("session_closed");
  for (const method of ["load_session", "close_session", "get_session_messages", "delete_session"]) {
    expect((await other.call(method, { sessionId: "s-1", token: "t" })).error?.code).toBe(-32_004);
  }
  expect(await other.result("list_available_sessions", {})).toMatchObject({ sessions: [] });
  await dropped(harness.store);
  expect(await harness.store.readTurn(S, "m-1" as never)).toBeUndefined();

  await owner.createSession("s-1");
  const again = await other.loadSession("s-1");
  expect(again).toMatchObject({ session: { messages: [] }, position: { seq: 0 } });
  await turn(harness, other, "m-1");
});

test("a session at work is deleted by force only, and its turn ends for those that see it", async () => {
  await using harness = await Harness.start();
  const [owner, other] = [await harness.connect(), await harness.connect()];
  await owner.createSession("s-1");
  await other.loadSession("s-1");
  await owner.result("add_user_message", { sessionId: "s-1", text: "long", messageId: "m-1" });
  expect((await owner.call("delete_session", { sessionId: "s-1" })).error?.data).toMatchObject({
    code: "SESSION_STATE",
  });
  await owner.result("delete_session", { sessionId: "s-1", force: true });
  expect(await other.turnEnd("m-1")).toMatchObject({ reason: "cancelled" });
  expect(await harness.store.openTurns()).toEqual([]);
});

test("loads, deletions and a new session that come during a deletion get what is true after it", async () => {
  await using harness = await Harness.start();
  const [owner, other] = [await harness.connect(), await harness.connect()];
  await owner.createSession("s-1");
  await harness.committer.commit(
    Array.from({ length: STORAGE_LIMITS.dropRows * 3 }, (_, at) => {
      return { kind: "message", sessionId: S, message: message(`old-${at}`, "old") } as const;
    }),
  );
  const deleting = owner.call("delete_session", { sessionId: "s-1" });
  const late = [
    other.call("load_session", { sessionId: "s-1", token: "t" }),
    other.call("delete_session", { sessionId: "s-1" }),
    other.call("add_user_message", { sessionId: "s-1", text: "x", messageId: "m-9" }),
  ];
  const made = other.call("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-1" });
  expect((await deleting).result).toEqual({});
  for (const { error } of await Promise.all(late)) expect([-32_004, -32_603]).toContain(error?.code);
  expect((await made).result).toMatchObject({ sessionId: "s-1" });
  expect((await owner.loadSession("s-1")).session).toMatchObject({ messages: [] });
  expect(await harness.store.countMessages(S)).toBe(0);
});

test("what a stopped daemon had hidden and not dropped, the next one drops", async () => {
  const store = new MemoryStore();
  const first = await Harness.start({ store });
  await (await first.connect()).createSession("s-1");
  await first.host.stop();
  await store.commit([{ kind: "deleteSession", sessionId: S }]);

  await using harness = await Harness.start({ store });
  expect((await (await harness.connect()).call("load_session", { sessionId: "s-1", token: "t" })).error?.code).toBe(
    -32_004,
  );
  await harness.host.copies.dropLeft();
  expect(await store.drafts()).toEqual([]);
});

test("a copy of a session that is deleted meanwhile is refused, and not made of its first half", async () => {
  await using harness = await Harness.start();
  const owner = await harness.connect();
  await owner.createSession("s-1");
  await harness.committer.commit(
    Array.from({ length: STORAGE_LIMITS.copyMessages * 4 }, (_, at) => {
      return { kind: "message", sessionId: S, message: message(`m-${at}`, "text") } as const;
    }),
  );
  const row = await harness.host.rowOf("s-1");
  const copying = harness.host.copies.make({ ...row, id: sessionId("copy") }, S);
  await harness.host.delete("s-1");
  await expect(copying).rejects.toMatchObject({ sessionId: "s-1" });
  await dropped(harness.store);
  expect(await harness.store.readSession(sessionId("copy"))).toBeUndefined();
});

test("the variables of a deleted session are gone, whether it was open or not: its id may be another key's next", async () => {
  await using harness = await Harness.start({
    agents: [{ name: "fake", command: ["fake"], driver: "stream-jsonrpc", allowEnv: ["SECRET"] }],
    limits: { agentInactivityMs: 0 },
  });
  const owner = await harness.connect();
  await owner.createSession("s-1", { env: { SECRET: "of the first" } });
  await owner.result("detach_session", { sessionId: "s-1" });
  harness.host.sweep();
  while (harness.host.find("s-1") !== undefined) await new Promise((resolve) => setImmediate(resolve));
  expect(harness.host.rules.environments.has(S)).toBe(true);
  await owner.result("delete_session", { sessionId: "s-1" });
  expect(harness.host.rules.environments.has(S)).toBe(false);
});

test("a key deletes its own sessions, and one of another is answered like none", async () => {
  await using harness = await Harness.start();
  const [own, foreign] = [harness.dial(), harness.dial()];
  await own.authenticate({ apiKey: "a-configured-key-0" });
  await foreign.authenticate({ apiKey: "a-configured-key-1" });
  const id = "0d9b5a0e-4e7a-4c52-9f5c-3b1c0f8f6a11";
  await own.createSession(id);
  expect((await foreign.call("delete_session", { sessionId: id })).error?.code).toBe(-32_004);
  expect(await own.result("delete_session", { sessionId: id })).toEqual({});
  expect(await harness.store.readSession(sessionId(id))).toBeUndefined();
});

test("an agent that can is asked to delete its conversation, once the session's own has ended", async () => {
  await using harness = await Harness.start({ agents: [{ name: "fake", command: ["fake"], driver: "acp" }] });
  const owner = await harness.connect();
  await owner.createSession("s-1");
  const [agent] = harness.spawner.agents;
  await owner.result("delete_session", { sessionId: "s-1" });
  await harness.host.stop();
  expect(agent?.hasExited).toBe(true);
  expect(harness.spawner.agents.flatMap(({ forgotten }) => forgotten)).toEqual(["agent-s-1"]);
  expect(harness.spawner.agents.every(({ hasExited }) => hasExited)).toBe(true);
});
