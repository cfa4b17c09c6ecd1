import { DaemonError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { StoreWrite } from "../../src/storage/store.js";
import { Harness } from "../sessions/harness.js";

/** A store whose commits wait until the test lets them through, or fail as it says. */
class GateStore extends MemoryStore {
  failure: DaemonError | undefined;
  commits: (readonly StoreWrite[])[] = [];
  #gate: Promise<void> | undefined;
  #open: () => void = () => {};
  #reached: () => void = () => {};

  /** Holds the next commits; resolves when one waits. */
  hold(): Promise<void> {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  letThrough(): void {
    this.#gate = undefined;
    this.#open();
  }

  override async commit(writes: readonly StoreWrite[]): Promise<void> {
    this.#reached();
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
    this.commits.push(writes);
    await super.commit(writes);
  }
}

const full = () => new DaemonError("STORAGE_FULL", "The disk is full.");

test("nothing is delivered, and no message acknowledged, before it is committed", async () => {
  const store = new GateStore();
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");

  const reached = store.hold();
  const prompt = client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  agent.delta("early");
  await reached;
  const seenBefore = client.seen.length;
  // A round trip: whatever was to be sent would have been.
  await client.call("list_opened_sessions", {});
  expect(client.seen).toHaveLength(seenBefore + 1);
  expect((await store.journalBounds(harness.host.open[0]?.id as never)).lastSeq).toBe(0);

  store.letThrough();
  await prompt;
  await client.notified({ type: "assistant_text_delta", textDelta: "early" });
});

test("what all sessions say in one tick is one transaction, in segments of at most 256 entries", async () => {
  const store = new GateStore();
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2");
  const agents = [await harness.spawner.agentOf("s-1"), await harness.spawner.agentOf("s-2")];
  await harness.committer.drain();
  store.commits = [];
  for (let n = 0; n < 300; n++) for (const agent of agents) agent.delta(`${n}`);
  await client.when(() => client.notifications().length === 600);
  expect(store.commits).toHaveLength(1);
  const segments = store.commits[0]?.flatMap((write) => (write.kind === "segment" ? [write.row] : []));
  expect(segments?.map(({ sessionId, firstSeq, entries }) => [sessionId, firstSeq, entries.length])).toEqual([
    ["s-1", 1, 256],
    ["s-1", 257, 44],
    ["s-2", 1, 256],
    ["s-2", 257, 44],
  ]);
  expect(client.notifications("s-2").map(({ textDelta }) => textDelta)).toEqual(
    Array.from({ length: 300 }, (_, n) => `${n}`),
  );
});

test("a full store refuses new messages with STORAGE_FULL while the running turn goes on, and says so once", async () => {
  const store = new GateStore();
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "first", messageId: "m-1" });
  await agent.prompted(1);

  store.failure = full();
  const refused = await client.call("add_user_message", { sessionId: "s-1", text: "second", messageId: "m-2" });
  expect(refused.error).toMatchObject({ code: -32603, data: { code: "STORAGE_FULL", retryable: true } });
  agent.delta("undurable");
  agent.message("a-1", "assistant", "kept for later");
  agent.end();
  await client.turnEnd("m-1");
  await client.notified({ newState: "idle" });
  expect(client.notifications("s-1").filter(({ type }) => type === "session_notice")).toMatchObject([
    { code: "STORAGE_FULL", message: expect.stringContaining("The disk is full.") },
  ]);
  // Nothing failed: clients take an error for a failure of the turn.
  expect(client.types("s-1")).not.toContain("error");

  // It recovers by itself, and rows that matter are stored then.
  store.failure = undefined;
  await client.call("add_user_message", { sessionId: "s-1", text: "third", messageId: "m-3" });
  await agent.prompted(2);
  const rows = await store.readTurn("s-1" as never, "m-1");
  expect(rows).toMatchObject({ state: "completed", reason: "completed" });
  expect((await store.readMessages("s-1" as never, { limit: 9 })).messages.map(({ id }) => id)).toEqual(["a-1"]);
});

test("positions that were given out while the store was full are never given to another entry", async () => {
  const store = new GateStore();
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.delta("stored");
  await client.notified({ textDelta: "stored" });
  store.failure = full();
  agent.delta("lost");
  await client.notified({ textDelta: "lost" });
  await client.notified({ type: "session_notice" });
  const last = client.seen.at(-1)?._meta?.seq ?? 0;
  const closing = client.call("close_session", { sessionId: "s-1" });
  await closing;
  store.failure = undefined;
  const { position } = (await client.loadSession("s-1")) as { position: { seq: number } };
  expect(position.seq).toBeGreaterThan(last);
});

test("one session's bad row does not keep the others from being stored", async () => {
  const store = new GateStore();
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2");
  await harness.committer.drain();
  const commit = store.commit.bind(store);
  store.commit = async (writes) => {
    if (writes.some((write) => write.kind === "segment" && write.row.sessionId === "s-1")) {
      throw new DaemonError("STORAGE_FAILED", "Bad row.");
    }
    await commit(writes);
  };
  (await harness.spawner.agentOf("s-1")).delta("one");
  (await harness.spawner.agentOf("s-2")).delta("two");
  await client.notified({ textDelta: "two" });
  expect((await store.journalBounds("s-2" as never)).lastSeq).toBe(1);
});
