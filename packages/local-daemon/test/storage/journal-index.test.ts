import { statSync } from "node:fs";
import { type SessionId, sessionId } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { MIGRATIONS } from "../../src/storage/schema.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { StoreWrite } from "../../src/storage/store.js";
import { databasePath } from "./database-path.js";
import { segment } from "./store-contract.js";

const S = sessionId("s-1");

function frame(seq: number): string {
  return `{"seq":${seq}}`;
}

/** One segment of each session, with the entry at that place. */
function entryOfEach(sessions: readonly SessionId[], seq: number): StoreWrite[] {
  return sessions.map((id) => ({ kind: "segment", row: segment(id, seq, [frame(seq)]) }));
}

function sessionsOf(count: number): SessionId[] {
  return Array.from({ length: count }, (_none, index) => sessionId(`session-${index}`));
}

/** Lets the store take that many steps of its own. */
async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function lastSeqs(store: SqliteStore, sessions: readonly SessionId[]): Promise<Set<number>> {
  const bounds = await Promise.all(sessions.map((id) => store.journalBounds(id)));
  return new Set(bounds.map(({ firstSeq, lastSeq }) => (firstSeq === 1 ? lastSeq : -1)));
}

async function entriesOf(store: SqliteStore, id: SessionId): Promise<readonly string[]> {
  return (await store.readEntries(id, 1, Number.POSITIVE_INFINITY)).entries;
}

test("a store that ended while it wrote down where rows lie finds all of them again, and each once", async () => {
  const path = databasePath();
  const sessions = sessionsOf(300);
  const first = new SqliteStore({ path, journalFreshRows: 600 });
  await first.open();
  await first.commit(entryOfEach(sessions, 1));
  await first.commit(entryOfEach(sessions, 2));
  // Of three; what the others say meanwhile comes in between.
  await steps(1);
  await first.commit(entryOfEach(sessions, 3));
  await first.close();

  const second = new SqliteStore({ path, journalFreshRows: 600 });
  await second.open();
  expect(await lastSeqs(second, sessions)).toEqual(new Set([3]));
  await second.commit(entryOfEach(sessions, 4));
  await steps(5);
  await second.commit(entryOfEach(sessions, 5));
  await second.close();

  const third = new SqliteStore({ path });
  await third.open();
  for (const id of sessions) expect(await entriesOf(third, id)).toEqual([1, 2, 3, 4, 5].map(frame));
  await third.close();
});

test("a commit that fails leaves a journal as it was, and its place free", async () => {
  const store = new SqliteStore({ path: databasePath() });
  await store.open();
  await store.commit([{ kind: "segment", row: segment(S, 1, [frame(1)]) }]);
  const failing = store.commit([
    { kind: "segment", row: segment(S, 2, ["never"]) },
    { kind: "segment", row: segment(sessionId("s-2"), 1, ["never"]) },
    { kind: "pruneJournal", sessionId: S, beforeSeq: 2 },
    { kind: "segment", row: segment(S, 2, ["never"]) },
  ]);
  await expect(failing).rejects.toThrow("in its journal already");
  expect(await entriesOf(store, S)).toEqual([frame(1)]);
  expect((await store.journalBounds(sessionId("s-2"))).lastSeq).toBe(0);
  await store.commit([{ kind: "segment", row: segment(S, 2, [frame(2)]) }]);
  expect(await entriesOf(store, S)).toEqual([1, 2].map(frame));
  await store.close();
});

test("a disk with no room for where rows lie loses none of them", async () => {
  const sessions = sessionsOf(200);
  const store = new SqliteStore({ path: databasePath(), maxBytes: 70 * 16_384, journalFreshRows: 1 });
  await store.open();
  let lastSeq = 0;
  for (let isFull = false; !isFull; lastSeq += isFull ? 0 : 1) {
    isFull = await store.commit(entryOfEach(sessions, lastSeq + 1)).then(
      () => false,
      () => true,
    );
    await steps(1);
  }
  expect(lastSeq).toBeGreaterThan(0);
  for (const id of sessions) expect(await entriesOf(store, id)).toHaveLength(lastSeq);
  await store.close();
});

test("a long journal is read from any place and pruned at any, however its rows are written down", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path, journalFreshRows: 2_500 });
  await store.open();
  const all = Array.from({ length: 2_600 }, (_none, index) => index + 1);
  // The last hundred are known in memory only.
  for (const part of [all.slice(0, 2_500), all.slice(2_500)]) {
    await store.commit(part.map((seq) => ({ kind: "segment", row: segment(S, seq, [frame(seq)]) })));
    await steps(3);
  }
  for (const seq of [1, 1_024, 1_025, 2_048, 2_500, 2_501, 2_600]) {
    expect(await store.readEntries(S, seq, 1)).toEqual({ firstSeq: seq, epoch: 7, entries: [frame(seq)] });
  }
  for (const beforeSeq of [1_025, 1_500, 2_550, 9_999]) {
    await store.commit([{ kind: "pruneJournal", sessionId: S, beforeSeq }]);
    const firstSeq = Math.min(beforeSeq, 2_600);
    expect(await store.journalBounds(S)).toMatchObject({ firstSeq, lastSeq: 2_600 });
    expect((await store.journalSegments(S, Number.MAX_SAFE_INTEGER, 10_000)).at(-1)).toMatchObject({ firstSeq });
    expect(await store.readEntries(S, 1, Number.POSITIVE_INFINITY)).toEqual({
      firstSeq,
      epoch: 7,
      entries: all.slice(firstSeq - 1).map(frame),
    });
  }
  await store.close();
});

test("journals of an earlier daemon are read where they ended, and go on", async () => {
  const path = databasePath();
  const earlier = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 3)) earlier.exec(step);
  earlier.exec("PRAGMA user_version=3");
  const insert = earlier.prepare(
    "INSERT INTO segments (session, first_seq, last_seq, epoch, bytes, created_at, frames) VALUES ('\"s-1\"', ?, ?, 7, 9, 1, ?)",
  );
  earlier.exec("BEGIN");
  for (let seq = 1; seq <= 3_000; seq += 1) insert.run(seq, seq, frame(seq));
  earlier.exec("COMMIT");
  earlier.close();
  const store = new SqliteStore({ path });
  await store.open();
  await store.commit([{ kind: "segment", row: segment(S, 3_001, [frame(3_001)]) }]);
  expect(await entriesOf(store, S)).toEqual(Array.from({ length: 3_001 }, (_none, index) => frame(index + 1)));
  expect(await store.readEntries(S, 2_049, 1)).toEqual({ firstSeq: 2_049, epoch: 7, entries: [frame(2_049)] });
  await store.close();
});

test("what many sessions say is written one after another, not a page for each", async () => {
  const path = databasePath();
  const sessions = sessionsOf(4_000);
  const before = new SqliteStore({ path });
  await before.open();
  for (const seq of [1, 2, 3]) await before.commit(entryOfEach(sessions, seq));
  await before.close();
  const store = new SqliteStore({ path });
  await store.open();
  const commits = 5;
  for (let turn = 0; turn < commits; turn += 1) {
    const some = sessions.filter((_id, index) => index % 40 === turn);
    await store.commit(entryOfEach(some, 4));
  }
  expect(statSync(`${path}-wal`).size).toBeLessThan((commits * 100 * 16_384) / 4);
  await store.close();
});
