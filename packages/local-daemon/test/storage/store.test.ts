import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { DaemonError, sessionId } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { MIGRATIONS } from "../../src/storage/schema.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import { databasePath } from "./database-path.js";
import { describeStore, message, segment, sessionRow, turn } from "./store-contract.js";

describeStore("SqliteStore", () => {
  const path = databasePath();
  const store = new SqliteStore({ path });
  return {
    store,
    async reopen() {
      await store.close();
      const next = new SqliteStore({ path });
      return { store: next, ...(await next.open()) };
    },
  };
});

describeStore("MemoryStore", () => {
  const store = new MemoryStore();
  return {
    store,
    async reopen() {
      await store.close();
      return { store, ...(await store.open()) };
    },
  };
});

test("a commit that fails half way leaves nothing behind", async () => {
  const store = new SqliteStore({ path: databasePath() });
  await store.open();
  const id = sessionId("s-1");
  await store.commit([{ kind: "segment", row: segment(id, 1, ["{}"]) }]);
  const failing = store.commit([
    { kind: "session", row: sessionRow(id) },
    { kind: "segment", row: segment(id, 1, ["{}"], { epoch: 7 }) },
  ]);
  await expect(failing).rejects.toSatisfy((error) => DaemonError.is(error, "STORAGE_FAILED"));
  expect(await store.readSession(id)).toBeUndefined();
  await store.commit([{ kind: "session", row: sessionRow(id) }]);
  expect(await store.readSession(id)).toBeDefined();
  await store.close();
});

test("a second daemon cannot open the same file, and is told why", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path });
  await store.open();
  await expect(new SqliteStore({ path }).open()).rejects.toThrow(/Another process holds it/);
  await store.close();
  const next = new SqliteStore({ path });
  await next.open();
  await next.close();
});

test("the file of a killed daemon needs no shared memory file either, where nobody else checkpoints it", async () => {
  const [path, killed] = [databasePath(), databasePath()];
  const store = new SqliteStore({ path });
  await store.open();
  await store.commit([{ kind: "message", sessionId: sessionId("s-1"), message: message("m-1", "hello") }]);
  for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, killed + suffix);
  await store.close();
  const next = new SqliteStore({ path: killed });
  await next.open();
  expect(existsSync(`${killed}-wal`)).toBe(true);
  expect(existsSync(`${killed}-shm`)).toBe(false);
  await next.close();
});

test("the epoch grows even when the clock went backwards", async () => {
  const path = databasePath();
  const epochs: number[] = [];
  for (const now of [9_000_000, 1_000, 2_000]) {
    const store = new SqliteStore({ path, now: () => now });
    epochs.push((await store.open()).epoch);
    await store.close();
  }
  expect(epochs).toEqual([9_000, 9_001, 9_002]);
});

test("a store of a newer daemon is refused, not changed", async () => {
  const path = databasePath();
  const { DatabaseSync } = await import("@photostructure/sqlite");
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version=99");
  newer.close();
  await expect(new SqliteStore({ path }).open()).rejects.toThrow(/written by a newer daemon/);
});

test("calls after close reject instead of doing nothing", async () => {
  const store = new SqliteStore({ path: databasePath() });
  await store.open();
  await store.close();
  await store.close();
  await expect(store.countMessages(sessionId("s-1"))).rejects.toThrow(/not open/);
});

test("a new file has large pages, an older one keeps its own, and either is emptied of its log every 4 MiB", async () => {
  for (const pageBytes of [16_384, 4_096]) {
    const path = databasePath();
    const old = new DatabaseSync(path);
    if (pageBytes === 4_096) old.exec("PRAGMA page_size=4096; CREATE TABLE before (x)");
    old.close();
    const store = new SqliteStore({ path });
    await store.open();
    const frames = ["x".repeat(100_000)];
    let largest = 0;
    for (let seq = 1; seq <= 100; seq += 1) {
      await store.commit([{ kind: "segment", row: segment(sessionId("s-1"), seq, frames) }]);
      largest = Math.max(largest, statSync(`${path}-wal`).size);
    }
    await store.close();
    expect(readFileSync(path).readUInt16BE(16)).toBe(pageBytes);
    expect(largest).toBeGreaterThan(3.5 * 2 ** 20);
    expect(largest).toBeLessThan(5 * 2 ** 20);
  }
});

test("a database that cannot grow refuses with STORAGE_FULL, and goes on with what fits", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path, maxBytes: 60 * 16_384 });
  await store.open();
  const large = segment(sessionId("s-1"), 1, ["x".repeat(1_000_000)]);
  await expect(store.commit([{ kind: "segment", row: large }])).rejects.toSatisfy((error) =>
    DaemonError.is(error, "STORAGE_FULL"),
  );
  await store.commit([{ kind: "segment", row: { ...large, entries: ["{}"] } }]);
  expect((await store.journalBounds(sessionId("s-1"))).lastSeq).toBe(1);
  await store.close();
});

test("each changed message is in the feed once a slice, as it is now, until it is forgotten, across a restart", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path });
  await store.open();
  const [mine, others] = [sessionId("s-1"), sessionId("s-2")];
  let told = 0;
  store.messageFeed.onChange = () => {
    told += 1;
  };
  await store.commit([
    { kind: "session", row: sessionRow(mine) },
    { kind: "session", row: sessionRow(others, { owner: "k1" }) },
  ]);
  expect(told).toBe(0);
  await store.commit([
    { kind: "message", sessionId: mine, message: message("a", "first") },
    { kind: "message", sessionId: others, message: message("b", "other") },
    { kind: "message", sessionId: mine, message: message("a", "second") },
    { kind: "message", sessionId: mine, message: message("c", "gone") },
    { kind: "retractMessage", sessionId: mine, messageId: "c" },
  ]);
  expect(told).toBe(1);
  const source = store.messageFeed.source();
  expect(source).toMatchObject({ lastNo: 4, newestNo: 2 });
  await store.close();
  const next = new SqliteStore({ path });
  await next.open();
  expect(next.messageFeed.source()).toEqual(source);
  const slice = next.messageFeed.changes();
  const textOf = (body: Uint8Array | undefined) => body && JSON.parse(Buffer.from(body).toString()).content[0].text;
  expect(slice?.changes.map(({ no, sessionId: of, owner, body }) => [no, of, owner, textOf(body)])).toEqual([
    [1, "s-1", undefined, "second"],
    [2, "s-2", "k1", "other"],
    [4, "s-1", undefined, undefined],
  ]);
  await next.commit([{ kind: "message", sessionId: mine, message: message("d", "later") }]);
  next.messageFeed.forget(slice?.through ?? 0);
  expect(next.messageFeed.changes()?.changes.map(({ no }) => no)).toEqual([5]);
  expect(next.messageFeed.messagesAfter(1)?.changes.map(({ no }) => no)).toEqual([2, 5]);
  expect(next.messageFeed.messagesAfter(5)).toBeUndefined();
  await next.close();
});

test("a slice of the feed has a bound in messages and in bytes, and holds one at least", async () => {
  const store = new SqliteStore({ path: databasePath() });
  await store.open();
  const sizes = [1_000_000, 100_000, 100_000, 100_000, ...Array.from({ length: 68 }, () => 1)];
  for (const [at, size] of sizes.entries()) {
    const write = {
      kind: "message",
      sessionId: sessionId("s-1"),
      message: message(`m-${at}`, "x".repeat(size)),
    } as const;
    await store.commit([write]);
  }
  const counts: number[] = [];
  for (let slice = store.messageFeed.changes(); slice !== undefined; slice = store.messageFeed.changes()) {
    counts.push(slice.changes.length);
    store.messageFeed.forget(slice.through);
  }
  expect(counts).toEqual([1, 2, 64, 5]);
  await store.close();
});

test("prompts that an older daemon kept in the rows of turns are read as before", async () => {
  const path = databasePath();
  const old = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 6)) old.exec(step);
  const prompt = JSON.stringify({ text: "a\\u0000b \ud83d\ude00 \ud800", messageId: "m" });
  const row = { ...turn(sessionId("s-1"), "m", 1), promptBytes: undefined, body: prompt };
  old
    .prepare("INSERT INTO turns (session, id, ordinal, state, ended_at, body) VALUES (?, ?, 1, 'accepted', NULL, ?)")
    .run(JSON.stringify("s-1"), JSON.stringify("m"), JSON.stringify(row));
  old.exec("PRAGMA user_version=6");
  old.close();
  const store = new SqliteStore({ path });
  await store.open();
  expect(await store.readPrompt(sessionId("s-1"), "m")).toBe(prompt);
  const [open] = await store.openTurns();
  expect(open).toEqual({ ...turn(sessionId("s-1"), "m", 1), promptBytes: Buffer.byteLength(prompt) });
  await store.close();
});
