import { type SessionNotification, sessionId, silentLogger } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { notificationOf } from "../../src/journal/journal-frame.js";
import { recover } from "../../src/sessions/recovery.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { storedEntries } from "../journal/stored-entries.js";
import { Harness } from "./harness.js";

const S = sessionId("s-1");
const QUESTIONS = { toolCallId: "t-1", questions: [] };

/** What a daemon leaves behind that dies with one turn running, a request pending, and two messages waiting. */
async function leftBehind(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (const id of ["m-1", "m-2", "m-3"]) {
    await client.call("add_user_message", { sessionId: "s-1", text: id, messageId: id });
  }
  await agent.prompted(1);
  agent.started();
  agent.message("m-1", "user", "m-1");
  agent.ask("ask_user", QUESTIONS);
  await client.request("ask_user");
  // Killed: nothing it does from here on is stored, and the rows are there for the next one.
  return store;
}

async function journalOf(store: MemoryStore): Promise<{ notification: SessionNotification; epoch: number }[]> {
  return (await storedEntries(store, S)).map(({ epoch, entry }) => ({ epoch, notification: notificationOf(entry) }));
}

test("after a crash the running turn ends as daemon_restarted, its request is closed, history stays, and what only waited is handed out", async () => {
  const store = await leftBehind();
  await using harness = await Harness.start({ store });
  const found = await recover(harness.host, silentLogger);
  expect(found).toMatchObject({ endedTurns: 1, waitingTurns: 2, closedRequests: 1 });
  expect(await store.readTurn(S, "m-1" as never)).toMatchObject({
    state: "outcome_unknown",
    reason: "daemon_restarted",
  });
  expect(await store.pendingRequests()).toEqual([]);

  const told = (await journalOf(store))
    .filter(({ epoch }) => epoch === harness.epoch)
    .map(({ notification }) => notification);
  expect(told.map(({ type }) => type)).toEqual([
    "ask_user_resolved",
    "droid_working_state_changed",
    "agent_turn_completed",
    "droid_working_state_changed",
  ]);
  expect(told[0]).toMatchObject({ toolCallId: "t-1", cancelled: true });
  expect(told[2]).toMatchObject({ turnId: "m-1", reason: "daemon_restarted" });

  const client = await harness.connect();
  const snapshot = await client.loadSession("s-1");
  expect(snapshot).toMatchObject({ session: { messages: [{ id: "m-1" }] }, pendingAskUserRequests: [] });
  expect(snapshot.queuedMessages).toMatchObject([{ messageId: "m-2" }, { messageId: "m-3" }]);
  expect(harness.spawner.agents).toEqual([]);

  for (const session of found.waiting) session.turns.release();
  const agent = await harness.spawner.agentOf("s-1");
  await agent.prompted(1);
  expect(agent.prompts[0]).toMatchObject({ messageId: "m-2", text: "m-2" });
  agent.end();
  await client.turnEnd("m-2");
  await agent.prompted(2);
  agent.end();
  await client.turnEnd("m-3");
});

test("recovering twice ends nothing twice", async () => {
  const store = await leftBehind();
  const first = await Harness.start({ store });
  await recover(first.host, silentLogger);
  await using second = await Harness.start({ store });
  expect(await recover(second.host, silentLogger)).toMatchObject({ endedTurns: 0, waitingTurns: 2, closedRequests: 0 });
  const ends = (await journalOf(store)).filter(({ notification }) => notification?.type === "agent_turn_completed");
  expect(ends).toHaveLength(1);
});

test("a message that was sent before the crash is acknowledged again after it, and not acted on twice", async () => {
  const store = await leftBehind();
  await using harness = await Harness.start({ store });
  const { waiting } = await recover(harness.host, silentLogger);
  const client = await harness.connect();
  for (const id of ["m-1", "m-2"]) {
    const { result } = await client.call("add_user_message", { sessionId: "s-1", text: id, messageId: id });
    expect(result).toMatchObject({ receipt: { state: id === "m-1" ? "outcome_unknown" : "accepted" } });
  }
  const other = await client.call("add_user_message", { sessionId: "s-1", text: "other", messageId: "m-1" });
  expect(other.error?.code).toBe(-32602);
  for (const session of waiting) session.turns.release();
  const agent = await harness.spawner.agentOf("s-1");
  await agent.prompted(1);
  agent.end();
  await agent.prompted(2);
  expect(agent.prompts.map(({ messageId }) => messageId)).toEqual(["m-2", "m-3"]);
});

test("positions go on under a larger epoch, so that none comes back for another entry", async () => {
  const store = await leftBehind();
  const before = await store.journalBounds(S);
  await using harness = await Harness.start({ store });
  await recover(harness.host, silentLogger);
  const after = await store.journalBounds(S);
  expect(after.lastPosition?.epoch).toBeGreaterThan(before.lastPosition?.epoch ?? 0);
  expect(after.lastSeq).toBeGreaterThan(before.lastSeq);
});

test("a drain lets running turns finish, hands out nothing more, and keeps what waits for the next daemon", async () => {
  const store = new MemoryStore();
  const harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (const id of ["m-1", "m-2"]) await client.call("add_user_message", { sessionId: "s-1", text: id, messageId: id });
  await agent.prompted(1);
  const drained = harness.host.drain(60_000);
  const refused = await client.call("initialize_session", { token: "t", machineId: "m", cwd: "/" });
  expect(refused.error).toMatchObject({ data: { code: "DAEMON_STOPPING", retryable: true } });
  const late = await client.call("add_user_message", { sessionId: "s-1", text: "late", messageId: "m-3" });
  expect(late.error).toMatchObject({ message: /stopping/, data: { code: "DAEMON_STOPPING", retryable: true } });
  const known = await client.call("add_user_message", { sessionId: "s-1", text: "m-2", messageId: "m-2" });
  expect(known.result).toMatchObject({ receipt: { state: "accepted" } });
  agent.end();
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
  expect(await drained).toEqual({ finished: 1, interrupted: 0 });
  await harness.host.stop();
  expect(agent.hasExited).toBe(true);
  expect((await store.openTurns()).map(({ id, state }) => [id, state])).toEqual([["m-2", "accepted"]]);
  expect(await store.agentProcesses()).toEqual([]);
});

test("a drain that takes too long interrupts the running turn and tells its end", async () => {
  const store = new MemoryStore();
  const harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  const cut = new AbortController();
  const drained = harness.host.drain(60_000, cut.signal);
  cut.abort();
  expect(await drained).toEqual({ finished: 0, interrupted: 1 });
  expect(agent.interrupts).toBe(1);
  await harness.host.stop();
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "cancelled" });
  expect(await store.readTurn(S, "m-1" as never)).toMatchObject({ state: "interrupted" });
});

test("a session whose only turn was lost with the daemon works on the next message", async () => {
  const store = new MemoryStore();
  const killed = await Harness.start({ store });
  const witness = await killed.connect();
  await witness.createSession("s-1");
  await witness.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await (await killed.spawner.agentOf("s-1")).prompted(1);

  await using harness = await Harness.start({ store });
  expect(await recover(harness.host, silentLogger)).toMatchObject({ endedTurns: 1, waiting: [] });
  const client = await harness.connect();
  await client.loadSession("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Again", messageId: "m-2" });
  const agent = await harness.spawner.agentOf("s-1");
  await agent.prompted(1);
  agent.end();
  expect(await client.turnEnd("m-2")).toMatchObject({ reason: "completed" });
});
