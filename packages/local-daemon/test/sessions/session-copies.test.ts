import { type SessionId, sessionId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { STORAGE_LIMITS } from "../../src/limits/storage-limits.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { Store, StoreWrite } from "../../src/storage/store.js";
import { databasePath } from "../storage/database-path.js";
import { message } from "../storage/store-contract.js";
import { Harness } from "./harness.js";

const SOURCE = sessionId("s-1");
const COPY = sessionId("copy");
const COUNT = STORAGE_LIMITS.copyMessages * 3 + 10;

/** A store that stops at the second slice of a copy, until the test lets it go on. */
class SliceStore extends MemoryStore {
  readonly sizes: number[] = [];
  readonly reached: Promise<void>;
  letThrough: () => void = () => {};
  #arrived: () => void = () => {};
  readonly #gate: Promise<void>;

  constructor() {
    super();
    this.reached = new Promise((resolve) => {
      this.#arrived = resolve;
    });
    this.#gate = new Promise((resolve) => {
      this.letThrough = resolve;
    });
  }

  override async commit(writes: readonly StoreWrite[]): Promise<void> {
    await super.commit(writes);
    const copied = writes.filter((write) => write.kind === "message" && write.sessionId === COPY).length;
    if (copied === 0) return;
    if (this.sizes.push(copied) !== 2) return;
    this.#arrived();
    await this.#gate;
  }
}

/** A session with many messages, whose agent makes a copy of it when asked. */
async function withConversation(store: Store): Promise<Harness> {
  const harness = await Harness.start({ store });
  const owner = await harness.connect();
  await owner.createSession("s-1");
  (await harness.spawner.agentOf("s-1")).onCall = () => ({ newSessionId: COPY });
  await harness.committer.commit(
    Array.from({ length: COUNT }, (_, at) => ({
      kind: "message",
      sessionId: SOURCE,
      message: message(`m-${at}`, `text ${at}`),
    })),
  );
  return harness;
}

async function idsOf(store: Store, id: SessionId): Promise<string[]> {
  return (await store.readMessages(id, { limit: COUNT + 10 })).messages.map((one) => one.id);
}

const ALL = Array.from({ length: COUNT }, (_, at) => `m-${at}`);

test("a copy is made in slices, nobody sees it before it is whole, and it is the conversation of its moment", async () => {
  const store = new SliceStore();
  await using harness = await withConversation(store);
  const client = await harness.connect();
  const forking = client.call("fork_session", { sessionId: "s-1" });
  await store.reached;
  expect(await store.readSession(COPY)).toBeUndefined();
  expect((await store.listSessions({ limit: 10 })).map(({ id }) => id)).toEqual(["s-1"]);
  await harness.store.commit([
    { kind: "message", sessionId: SOURCE, message: message(`m-${COUNT - 1}`, "changed") },
    { kind: "message", sessionId: SOURCE, message: message("later", "later") },
  ]);
  store.letThrough();
  expect((await forking).result).toMatchObject({ newSessionId: COPY });
  expect(await idsOf(store, COPY)).toEqual(ALL);
  expect(await store.readMessage(COPY, `m-${COUNT - 1}`)).toEqual(message(`m-${COUNT - 1}`, `text ${COUNT - 1}`));
  const { copyMessages } = STORAGE_LIMITS;
  expect(store.sizes).toEqual([copyMessages, copyMessages, copyMessages, 10]);
  expect(await store.drafts()).toEqual([]);
});

test("a daemon that stops ends a copy with DAEMON_STOPPING, and the next one drops what there is of it", async () => {
  const store = new SliceStore();
  const first = await withConversation(store);
  const client = await first.connect();
  const forking = client.call("fork_session", { sessionId: "s-1" });
  await store.reached;
  const stopping = first.host.stop();
  store.letThrough();
  expect((await forking).error).toMatchObject({ data: { code: "DAEMON_STOPPING" } });
  await stopping;
  expect(store.sizes).toHaveLength(2);
  expect(await store.drafts()).toEqual([COPY]);

  await using harness = await Harness.start({ store });
  await harness.host.copies.dropLeft();
  expect(await store.drafts()).toEqual([]);
  expect(await store.countMessages(COPY)).toBe(0);
  expect(await idsOf(store, SOURCE)).toEqual(ALL);
});

test("the same in a database file, across a restart, with parts of the conversation", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path });
  const harness = await withConversation(store);
  const row = await harness.host.rowOf("s-1");
  await harness.host.copies.make({ ...row, id: COPY }, SOURCE, { skip: 20, until: "m-50" });
  expect(await idsOf(store, COPY)).toEqual(ALL.slice(20, 50));
  await store.commit([
    { kind: "draft", row: { ...row, id: sessionId("half"), owner: "k1" } },
    ...ALL.map((id) => ({ kind: "message", sessionId: sessionId("half"), message: message(id, id) }) as const),
  ]);
  // An index takes its messages for those of its owner.
  expect(store.messageFeed.messagesAfter(COUNT + 30)?.changes[0]).toMatchObject({ sessionId: "half", owner: "k1" });
  await store.close();
  const next = new SqliteStore({ path });
  await using after = await Harness.start({ store: next });
  expect(await next.readSession(sessionId("half"))).toBeUndefined();
  expect((await next.listSessions({ limit: 10 })).map(({ id }) => id).sort()).toEqual([COPY, "s-1"]);
  expect(await next.listSessions({ limit: 10, owner: "k1" })).toEqual([]);
  await after.host.copies.dropLeft();
  expect(await next.countMessages(sessionId("half"))).toBe(0);
  expect(await next.drafts()).toEqual([]);
  expect(await idsOf(next, COPY)).toHaveLength(30);
});
