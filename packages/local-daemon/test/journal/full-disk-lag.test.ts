import { DaemonError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { UnstoredEntries } from "../../src/journal/unstored-entries.js";
import { JOURNAL_LIMITS } from "../../src/limits/journal-limits.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { StoreWrite } from "../../src/storage/store.js";
import type { FakeAgent } from "../sessions/fake-agent.js";
import { Harness, type TestClient } from "../sessions/harness.js";
import type { Valve } from "../sessions/valve.js";

class FillingStore extends MemoryStore {
  isFull = false;

  override async commit(writes: readonly StoreWrite[]): Promise<void> {
    if (this.isFull && writes.length > 0) throw new DaemonError("STORAGE_FULL", "The disk is full.");
    await super.commit(writes);
  }
}

interface Lag extends AsyncDisposable {
  readonly client: TestClient;
  readonly wire: Valve;
  readonly agent: FakeAgent;
  readonly harness: Harness;
}

const CREDIT = { events: 1_000_000, bytes: 1_000_000_000 };

/** A client that does not read while a turn runs and the disk fills up. */
async function lag(): Promise<Lag> {
  const store = new FillingStore();
  const harness = await Harness.start({ store, connection: { bufferBytes: 10_000 } });
  const { client, wire } = await (async () => {
    const owner = await harness.connect();
    await owner.createSession("s-1");
    await owner.result("detach_session", { sessionId: "s-1" });
    return harness.connectLazy();
  })();
  await client.loadSession("s-1", { credit: CREDIT });
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "work", messageId: "m-1" });
  await agent.prompted(1);
  wire.stopReading();
  for (let at = 0; at < 100; at += 1) agent.delta(`stored ${at} ${"x".repeat(500)}`);
  await harness.committer.drain();
  store.isFull = true;
  return { client, wire, agent, harness, [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose]() };
}

test("a client that lags while the disk fills up gets the notice, what was said, and the end of the turn", async () => {
  await using place = await lag();
  const { client, wire, agent, harness } = place;
  for (let at = 0; at < 100; at += 1) agent.delta(`unstored ${at}`);
  agent.end();
  await harness.committer.drain();
  wire.readOn();
  await client.turnEnd("m-1");
  await client.notified({ type: "session_notice", code: "STORAGE_FULL" });
  const types = client.types("s-1");
  expect(types.filter((type) => type === "assistant_text_delta")).toHaveLength(200);
  expect(types.filter((type) => type === "session_notice")).toHaveLength(1);
  expect(types).not.toContain("session_unsubscribed");
  const seqs = client.seen.flatMap(({ _meta: meta }) => (meta === undefined ? [] : [meta.seq]));
  expect(seqs).toEqual(seqs.map((_, at) => (seqs[0] ?? 0) + at));
});

test("when that was too much, it gets the notice and the end of the turn ahead of one gap, and the rest from the receipt", async () => {
  await using place = await lag();
  const { client, wire, agent, harness } = place;
  const much = (3 * JOURNAL_LIMITS.unstoredBytes) / 1_000;
  for (let at = 0; at < much; at += 1) agent.delta(`unstored ${"x".repeat(1_000)}`);
  await harness.committer.drain();
  agent.message("a-1", "assistant", "the answer");
  agent.end();
  await harness.committer.drain();
  wire.readOn();
  await client.notified({ type: "session_unsubscribed", code: "RESUME_TOO_OLD" });
  const early = client.seen.filter(({ _meta: meta }) => Reflect.get(meta ?? {}, "early") === true);
  expect(early.map(({ params }) => params?.notification)).toMatchObject([
    { type: "session_notice", code: "STORAGE_FULL" },
    { type: "agent_turn_completed", turnId: "m-1" },
  ]);
  expect(client.types("s-1").at(-1)).toBe("session_unsubscribed");
  const before = client.seen.length;
  const loaded = await client.loadSession("s-1", { credit: CREDIT });
  expect(loaded).toMatchObject({ isAgentLoopInProgress: false, workingState: "idle" });
  await client.when(() =>
    client.seen.slice(before).some(({ params }) => params?.notification?.type === "session_notice"),
  );
  const { receipts } = await client.result("get_receipts", { sessionId: "s-1", messageIds: ["m-1"] });
  expect(receipts).toMatchObject([{ state: "completed", reason: "completed", text: "the answer" }]);
});

test("a client that attaches in a flood that cannot be stored follows it to its end", async () => {
  await using place = await lag();
  const { client, wire, agent, harness } = place;
  const much = (3 * JOURNAL_LIMITS.unstoredBytes) / 1_000;
  for (let at = 0; at < much; at += 1) agent.delta(`unstored ${"x".repeat(1_000)}`);
  await harness.committer.drain();
  wire.readOn();
  await client.notified({ type: "session_unsubscribed" });
  const loading = client.loadSession("s-1", { credit: CREDIT });
  // Between the snapshot and the start of the events, too.
  for (let at = 0; at < 50; at += 1) {
    agent.delta(`later ${at}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await loading;
  agent.end();
  await client.turnEnd("m-1");
  expect(client.types("s-1").filter((type) => type === "session_unsubscribed")).toHaveLength(1);
  expect(client.notifications("s-1").at(-1)).toMatchObject({ newState: "idle" });
});

test("above their bound unstored entries keep what a client acts on, in order", () => {
  const entries = new UnstoredEntries();
  const text = JSON.stringify({ type: "assistant_text_delta", textDelta: "x".repeat(1_000) });
  const end = JSON.stringify({ type: "agent_turn_completed", turnId: "m" });
  const notice = JSON.stringify({ type: "session_notice", code: "STORAGE_FULL" });
  let seq = 1;
  const expected: number[] = [];
  for (let at = 0; at < 2_000; at += 1) {
    const frames = at % 100 === 7 ? [text, end, text] : at % 100 === 50 ? [notice] : [text];
    frames.forEach((sent, index) => {
      if (sent !== text) expected.push(seq + index);
    });
    entries.add(seq, frames);
    seq += frames.length;
  }
  const kept: number[] = [];
  let units = 0;
  for (let from = 1, run = entries.from(1); run !== undefined; run = entries.from(from)) {
    run.entries.forEach((sent, index) => {
      units += sent.length;
      if (sent !== text) kept.push((run?.firstSeq ?? 0) + index);
    });
    from = run.firstSeq + run.entries.length;
  }
  expect(kept).toEqual(expected);
  expect(units).toBeLessThanOrEqual(JOURNAL_LIMITS.unstoredBytes);
  expect(entries.from(seq - 1)?.entries).toHaveLength(1);
  entries.dropBefore(seq);
  expect(entries.isEmpty).toBe(true);
});
