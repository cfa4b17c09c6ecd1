import { sessionId, silentLogger } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { recover } from "../../src/sessions/recovery.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness, type Seen, type TestClient } from "../sessions/harness.js";

const QUESTIONS = { toolCallId: "t-1", questions: [{ index: 1, topic: "a", question: "b?", options: [] }] };

/** What came of the session, in the order it came. */
function entries(client: TestClient): Seen[] {
  return client.seen.filter(({ _meta }) => _meta !== undefined);
}

function seqs(client: TestClient): (number | undefined)[] {
  return entries(client).map(({ _meta }) => _meta?.seq);
}

async function withDeltas(harness: Harness, count: number): Promise<TestClient> {
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (let n = 1; n <= count; n++) agent.delta(`${n}`);
  await client.when(() => client.notifications().length === count);
  return client;
}

function resume(client: TestClient, seq: number, epoch: number, extra: object = {}): Promise<Seen> {
  return client.call("resume_session", { sessionId: "s-1", after: { epoch, seq }, ...extra });
}

test("a client that comes back at its position gets what it missed, once, in order, and then what happens", async () => {
  await using harness = await Harness.start();
  await withDeltas(harness, 100);
  const again = await harness.connect();
  const { result } = await resume(again, 40, harness.epoch);
  expect(result).toEqual({
    position: { epoch: harness.epoch, seq: 100 },
    workingState: "idle",
    isAgentLoopInProgress: false,
    pendingPermissions: [],
    pendingAskUserRequests: [],
  });
  const agent = await harness.spawner.agentOf("s-1");
  agent.delta("101");
  await again.notified({ textDelta: "101" });
  expect(seqs(again)).toEqual(Array.from({ length: 61 }, (_, index) => 41 + index));
  expect(again.seen.findIndex(({ _meta }) => _meta !== undefined)).toBeGreaterThan(
    again.seen.findIndex(({ result: answer }) => answer?.position !== undefined),
  );
});

test("a session that is only stored is resumed without its agent, across a restart, to the end that recovery told", async () => {
  const store = new MemoryStore();
  const first = await Harness.start({ store });
  const client = await first.connect();
  await client.createSession("s-1");
  const agent = await first.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  agent.ask("ask_user", QUESTIONS);
  const { _meta } = await client.request("ask_user");
  const seen = _meta?.seq ?? 0;

  await using harness = await Harness.start({ store });
  await recover(harness.host, silentLogger);
  const again = await harness.connect();
  const { result } = await resume(again, seen - 1, first.epoch);
  expect(result).toMatchObject({ isAgentLoopInProgress: false, pendingAskUserRequests: [] });
  await again.notified({ newState: "idle" });
  expect(harness.spawner.agents).toEqual([]);
  expect(seqs(again)).toEqual(seqs(again).map((_, index) => seen + index));
  // The request is there for the order only: its end is told right after.
  expect(entries(again)[0]).toMatchObject({
    type: "request",
    _meta: { seq: seen, epoch: first.epoch, resolved: true },
  });
  expect(again.types().slice(0, 3)).toEqual([
    "ask_user_resolved",
    "state streaming_assistant_message",
    "agent_turn_completed",
  ]);
  expect(again.notifications()[2]).toMatchObject({ turnId: "m-1", reason: "daemon_restarted" });
});

test("a position that the journal does not have is refused with RESUME_TOO_OLD and what it holds", async () => {
  await using harness = await Harness.start();
  await withDeltas(harness, 300);
  await harness.committer.commit([{ kind: "pruneJournal", sessionId: sessionId("s-1"), beforeSeq: 257 }]);
  const { firstSeq } = await harness.store.journalBounds(sessionId("s-1"));
  expect(firstSeq).toBeGreaterThan(1);
  const again = await harness.connect();
  const { epoch } = harness;
  for (const after of [
    { epoch, seq: 301 },
    { epoch: epoch - 1, seq: 90 },
    { epoch, seq: 0 },
    { epoch, seq: firstSeq - 1 },
  ]) {
    const { error } = await again.call("resume_session", { sessionId: "s-1", after });
    expect(error).toMatchObject({ code: -32603, data: { code: "RESUME_TOO_OLD", firstSeq, lastSeq: 300 } });
  }
  expect((await resume(again, firstSeq, epoch)).error).toBeUndefined();
  expect((await again.call("resume_session", { sessionId: "nope", after: { epoch, seq: 0 } })).error?.code).toBe(
    -32004,
  );
});

test("the position of a snapshot is good for resuming, also when a restart lies before it", async () => {
  const store = new MemoryStore();
  await withDeltas(await Harness.start({ store }), 3);
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  const { position } = (await client.loadSession("s-1")) as { position: { epoch: number; seq: number } };
  expect(position).toEqual({ epoch: harness.epoch, seq: 3 });
  const again = await harness.connect();
  expect((await resume(again, position.seq, position.epoch)).error).toBeUndefined();
  harness.host.find("s-1")?.notify({ type: "next" });
  await again.notified({ type: "next" });
  expect(seqs(again)).toEqual([4]);
});

test("resuming again replaces what this connection had, and does not double anything", async () => {
  await using harness = await Harness.start();
  const client = await withDeltas(harness, 10);
  const before = entries(client).length;
  await resume(client, 8, harness.epoch);
  (await harness.spawner.agentOf("s-1")).delta("11");
  await client.notified({ textDelta: "11" });
  expect(seqs(client).slice(before)).toEqual([9, 10, 11]);
  expect(harness.host.find("s-1")?.attached.count).toBe(1);
});

test("a request that still waits is in the result and comes again unmarked; an answer to it is taken", async () => {
  await using harness = await Harness.start();
  const asker = await harness.connect();
  await asker.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await asker.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  agent.ask("ask_user", QUESTIONS);
  const { id } = await asker.request("ask_user");
  const again = await harness.connect();
  const { result } = await resume(again, 0, harness.epoch);
  expect(result.pendingAskUserRequests).toEqual([{ requestId: id, ...QUESTIONS }]);
  const request = await again.request("ask_user");
  expect(request._meta).toEqual({ epoch: harness.epoch, seq: expect.any(Number) });
  again.respond(String(id), { answers: [{ index: 1, question: "b?", answer: "c" }] });
  await again.notified({ type: "ask_user_resolved", cancelled: false });
});

test("a session that is closed in the very moment is opened anew for the one who comes back", async () => {
  await using harness = await Harness.start();
  const closer = await withDeltas(harness, 2);
  const again = await harness.connect();
  const [closed, resumed] = await Promise.all([
    closer.call("close_session", { sessionId: "s-1" }),
    resume(again, 1, harness.epoch),
  ]);
  expect([closed.error, resumed.error]).toEqual([undefined, undefined]);
  await again.notified({ type: "session_closed" });
  expect(seqs(again)).toEqual(seqs(again).map((_, index) => 2 + index));
});

test("sessions that are resumed together are all answered before the first of them is told what it missed (F2)", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const ids = ["s-1", "s-2", "s-3"];
  for (const id of ids) {
    await client.createSession(id);
    const agent = await harness.spawner.agentOf(id);
    for (let n = 1; n <= 50; n++) agent.delta(`${n}`);
  }
  await client.when(() => ids.every((id) => client.notifications(id).length === 50));
  const again = await harness.connect();
  const after = { epoch: harness.epoch, seq: 0 };
  for (const id of ids) again.send("resume_session", { sessionId: id, after }, `resume ${id}`);
  await again.when(() => ids.every((id) => again.notifications(id).length === 50));
  const firstEntry = again.seen.findIndex(({ _meta }) => _meta !== undefined);
  const answers = again.seen.slice(0, firstEntry).filter(({ id }) => id?.startsWith("resume "));
  expect(answers).toHaveLength(ids.length);
});
