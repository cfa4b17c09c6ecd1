import { type SessionMessage, type SessionNotification, sessionId } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { JOURNAL_LIMITS } from "../../src/limits/journal-limits.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness, type TestClient } from "../sessions/harness.js";

function seqs(client: TestClient, id = "s-1"): (number | undefined)[] {
  return client.seen.filter(({ params }) => params?.sessionId === id).map(({ _meta }) => _meta?.seq);
}

test("two clients on one session get the same entries at the same positions, in order, each once", async () => {
  await using harness = await Harness.start();
  const [first, second] = [await harness.connect(), await harness.connectPlain()];
  await first.createSession("s-1");
  await second.loadSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (let n = 0; n < 500; n++) agent.delta(`${n}`);
  for (const client of [first, second]) await client.notified({ textDelta: "499" });
  const frames = (client: TestClient) => client.texts.filter((text) => text.includes("assistant_text_delta"));
  expect(frames(second)).toEqual(frames(first));
  expect(seqs(first)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
});

test("a session's events never reach a connection that follows another one", async () => {
  await using harness = await Harness.start();
  const [first, second] = [await harness.connect(), await harness.connect()];
  await first.createSession("s-1");
  await second.createSession("s-2");
  (await harness.spawner.agentOf("s-1")).delta("for the first");
  await first.notified({ textDelta: "for the first" });
  await second.call("list_opened_sessions", {});
  expect(second.notifications("s-1")).toEqual([]);
});

test("detach stops the events of this connection only, and the session goes on", async () => {
  await using harness = await Harness.start();
  const [first, second] = [await harness.connect(), await harness.connect()];
  await first.createSession("s-1");
  await second.loadSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  expect((await first.call("detach_session", { sessionId: "s-1" })).result).toEqual({});
  agent.delta("after");
  await second.notified({ textDelta: "after" });
  await first.call("list_opened_sessions", {});
  expect(first.notifications()).toEqual([]);
});

test("what an agent writes into a position is dropped, its trace context is kept", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const session = harness.host.find("s-1");
  session?.notify({ type: "x" }, { epoch: 9, seq: 9, traceparent: "00-a-b-01", extra: { seq: 8 } } as object);
  await client.notified({ type: "x" });
  expect(client.seen.at(-1)?._meta).toEqual({
    epoch: harness.epoch,
    seq: 1,
    traceparent: "00-a-b-01",
    extra: { seq: 8 },
  });
});

test("loading again begins anew at the new snapshot: nothing is missing, nothing repeated", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.delta("1");
  const loading = client.loadSession("s-1");
  agent.delta("2");
  const { position } = (await loading) as { position: { seq: number } };
  agent.delta("3");
  await client.notified({ textDelta: "3" });
  const loadedAt = client.seen.findIndex(({ result }) => result?.position === position);
  const after = client.seen.slice(loadedAt + 1).map(({ _meta }) => _meta?.seq);
  expect(after).toEqual(after.map((_, index) => position.seq + 1 + index));
  expect(after.at(-1)).toBe(3);
});

/** A store whose reads take a while, so that everything else happens meanwhile. */
class SlowStore extends MemoryStore {
  override async readMessages(...query: Parameters<MemoryStore["readMessages"]>) {
    for (let tick = 0; tick < 4; tick++) await new Promise((resolve) => setImmediate(resolve));
    return super.readMessages(...query);
  }
}

/** What happens to a conversation, and when somebody loads it. */
type Step = { kind: "message" | "retract"; id: string } | { kind: "delta" } | { kind: "load" } | { kind: "wait" };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "c", "d").map((id): Step => ({ kind: "message", id })) },
  fc.constantFrom("a", "b", "c").map((id): Step => ({ kind: "retract", id })),
  fc.constant<Step>({ kind: "delta" }),
  fc.constant<Step>({ kind: "load" }),
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "wait" }) },
);

/** A client's own reading of the wire: a snapshot, then what changes it. */
function fold(
  messages: readonly SessionMessage[],
  notifications: readonly SessionNotification[],
): Map<string, unknown> {
  const all = new Map<string, unknown>(messages.map((message) => [message.id, message]));
  for (const notification of notifications) {
    const { type, message, messageId } = notification;
    if (type === "create_message") all.set((message as SessionMessage).id, message);
    if (type === "assistant_message_retracted") all.delete(String(messageId));
  }
  return all;
}

test("a snapshot and the stream after it are the whole, whenever it is taken", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      await using harness = await Harness.start({ store: new SlowStore() });
      const writer = await harness.connect();
      await writer.createSession("s-1");
      const agent = await harness.spawner.agentOf("s-1");
      const loads: Promise<{ client: TestClient; snapshot: Record<string, unknown> }>[] = [];
      const load = async () => {
        const client = await harness.connect();
        return { client, snapshot: await client.loadSession("s-1") };
      };
      for (const [index, { kind, ...rest }] of steps.entries()) {
        const id = "id" in rest ? rest.id : "";
        if (kind === "message") agent.message(id, "assistant", `${index}`);
        if (kind === "retract") agent.tell({ type: "assistant_message_retracted", messageId: id });
        if (kind === "delta") agent.delta(`${index}`);
        if (kind === "load") loads.push(load());
        if (kind === "wait") await new Promise((resolve) => setImmediate(resolve));
      }
      const readers = await Promise.all(loads);
      agent.tell({ type: "the end" });
      await writer.notified({ type: "the end" });
      const { messages } = await harness.store.readMessages(sessionId("s-1"), { limit: 100 });
      for (const { client, snapshot } of readers) {
        await client.notified({ type: "the end" });
        const { session, position } = snapshot as {
          session: { messages: SessionMessage[] };
          position: { seq: number };
        };
        const got = seqs(client);
        expect(got).toEqual(got.map((_, index) => position.seq + 1 + index));
        // The writer has seen every entry, so what it saw up to that place is what the snapshot has to be.
        const before = fold([], writer.notifications().slice(0, position.seq));
        expect(new Map(session.messages.map((message) => [message.id, message]))).toEqual(before);
        expect(fold(session.messages, client.notifications())).toEqual(new Map(messages.map((m) => [m.id, m])));
      }
    }),
    { numRuns: 100 },
  );
});

test("a client that does not read costs bounded memory, slows nobody, and gets everything once it reads", async () => {
  const store = new MemoryStore();
  const connection = { bufferBytes: 64 * 1024 };
  await using harness = await Harness.start({ store, connection });
  const reader = await harness.connect();
  await reader.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const { client: lazy, wire } = await harness.connectLazy();
  const text = "x".repeat(1_000);
  const count = 2_000;
  wire.stopReading();
  const most: number[] = [];
  for (let n = 0; n < count; n++) {
    agent.delta(`${n} ${text}`);
    if (n % 50 === 0) {
      await reader.when(() => reader.notifications().length === n + 1);
      most.push(wire.bufferedBytes);
    }
  }
  await reader.when(() => reader.notifications().length === count);
  expect(Math.max(...most)).toBeLessThan(connection.bufferBytes + 2 * 64 * 1_100);
  wire.readOn();
  await lazy.when(() => lazy.notifications().length === count);
  expect(seqs(lazy)).toEqual(seqs(reader));
});

test("a client that leaves its buffer full for too long is closed with 4408", async () => {
  await using harness = await Harness.start({ connection: { bufferBytes: 1_024, slowMs: 10, closeMs: 10 } });
  const reader = await harness.connect();
  await reader.createSession("s-1");
  const { client: lazy, wire } = await harness.connectLazy();
  wire.stopReading();
  const agent = await harness.spawner.agentOf("s-1");
  for (let n = 0; n < 10; n++) agent.delta("x".repeat(1_000));
  expect(await wire.closedByDaemon).toBe(4408);
  await reader.when(() => reader.notifications().length === 10);
  await lazy.closed();
  expect(harness.host.find("s-1")?.attached.count).toBe(1);
});

test("an agent's pipe is paused only while too much waits for the store", async () => {
  const store = new MemoryStore();
  await using harness = await Harness.start({ store, limits: { storeBacklogBytes: 10_000 } });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  let letThrough = () => {};
  const gate = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  const commit = store.commit.bind(store);
  store.commit = (writes) => gate.then(() => commit(writes));
  agent.delta("x".repeat(9_000));
  expect(agent.isPaused).toBe(false);
  agent.delta("x".repeat(9_000));
  expect(agent.isPaused).toBe(true);
  letThrough();
  await client.when(() => client.notifications().length === 2);
  expect(agent.isPaused).toBe(false);
});

test("an old journal is pruned to its bounds, and the newest entries stay", async () => {
  let now = 1_000_000;
  const limits = { journalKeepMs: 1_000, journalOldEntries: 2_000, journalOldBytes: 8 * 1024 * 1024 };
  await using harness = await Harness.start({ now: () => now, limits });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (let round = 0; round < 8; round++) {
    for (let n = 0; n < 1_024; n++) agent.delta(`${n}`);
    const total = (round + 1) * 1_024;
    await client.when(() => client.notifications().length === total);
    // Far more than ten times what a look at the journal takes.
    now += 1_000_000;
  }
  const kept = async () => {
    await harness.committer.drain();
    const { firstSeq, lastSeq } = await harness.store.journalBounds(sessionId("s-1"));
    expect(lastSeq).toBe(8 * 1_024);
    return lastSeq - firstSeq + 1;
  };
  await expect.poll(kept).toBeLessThanOrEqual(2_000 + 1_024 + JOURNAL_LIMITS.segmentEntries);
  expect(await kept()).toBeGreaterThanOrEqual(2_000 - JOURNAL_LIMITS.segmentEntries);
});

test("much that is old is dropped piece by piece, so that no commit holds the loop for all of it", async () => {
  let now = 1_000_000;
  const limits = { journalKeepMs: 1_000, journalOldBytes: 1024 * 1024 };
  await using harness = await Harness.start({ now: () => now, limits });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const { store } = harness;
  const dropped: number[] = [];
  const commit = store.commit.bind(store);
  const bytes = async () => {
    const segments = await store.journalSegments(sessionId("s-1"), Number.MAX_SAFE_INTEGER, 1_000_000);
    return segments.reduce((sum, segment) => sum + segment.bytes, 0);
  };
  store.commit = async (writes) => {
    const prunes = writes.filter(({ kind }) => kind === "pruneJournal");
    const before = prunes.length === 0 ? 0 : await bytes();
    await commit(writes);
    const added = writes.reduce((sum, one) => sum + (one.kind === "segment" ? one.row.entries.join("").length : 0), 0);
    if (prunes.length > 0) dropped.push(before + added - (await bytes()));
  };
  for (let n = 0; n < 160; n++) agent.delta("x".repeat(64 * 1024));
  await client.when(() => client.notifications().length === 160);
  now += 1_000_000;
  for (let n = 0; n < 1_024; n++) agent.delta("y");
  await expect.poll(bytes).toBeLessThan(2 * 1024 * 1024);
  expect(dropped.length).toBeGreaterThan(3);
  expect(Math.max(...dropped)).toBeLessThan(JOURNAL_LIMITS.pruneBytes + 256 * 1024);
});
