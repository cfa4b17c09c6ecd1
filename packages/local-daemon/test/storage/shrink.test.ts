import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { sessionId } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { STORAGE_LIMITS } from "../../src/limits/storage-limits.js";
import { MIGRATIONS } from "../../src/storage/schema.js";
import { SqliteStore, type SqliteStoreOptions } from "../../src/storage/sqlite-store.js";
import { bundledProgram } from "../support/bundled-program.js";
import { databasePath } from "./database-path.js";
import { segment, sessionRow } from "./store-contract.js";

/** A disk on which nothing can be written anew. */
const disk = vi.hoisted(() => ({ isFull: false }));

vi.mock("../../src/sqlite-library.js", async (importOriginal) => {
  const library = await importOriginal<typeof import("../../src/sqlite-library.js")>();
  const openDatabase: typeof library.openDatabase = (...given) => {
    const database = library.openDatabase(...given);
    const original = database.exec;
    const exec = (sql: string) => {
      if (disk.isFull && sql.endsWith("VACUUM")) throw Object.assign(new TypeError("full"), { sqliteCode: 13 });
      original.call(database, sql);
    };
    return Object.defineProperty(database, "exec", { value: exec });
  };
  return { ...library, openDatabase };
});

const S = sessionId("s-1");
const MIB = 2 ** 20;
const POLL = { interval: 5, timeout: 4_000 };
let program: string;

beforeAll(() => {
  program = bundledProgram("src/storage/checkpoint-worker.ts");
});

/** Bytes of all files in the directory of a store. */
function bytesBeside(path: string): number {
  return readdirSync(dirname(path)).reduce((sum, name) => sum + statSync(join(dirname(path), name)).size, 0);
}

/** A store with a session of so many MiB in front of one of a MiB, whose pages have to be moved. */
async function filled(options: SqliteStoreOptions, mib: number): Promise<SqliteStore> {
  const store = new SqliteStore(options);
  await store.open();
  onTestFinished(() => store.close());
  await store.commit([{ kind: "session", row: sessionRow(S) }]);
  for (let seq = 1; seq <= mib; seq += 1) {
    await store.commit([{ kind: "segment", row: segment(S, seq, ["x".repeat(MIB)]) }]);
  }
  const kept = sessionId("kept");
  await store.commit([
    { kind: "session", row: sessionRow(kept) },
    { kind: "segment", row: segment(kept, 1, ["y".repeat(MIB)]) },
  ]);
  return store;
}

/** Deletes the large session, and gives its room back. Returns the slices, and the longest one in ms. */
async function deleted(store: SqliteStore): Promise<{ slices: number; longestMs: number }> {
  await store.commit([{ kind: "deleteSession", sessionId: S }]);
  while ((await store.drafts()).length > 0) await store.commit([{ kind: "dropDraft", sessionId: S, rows: 128 }]);
  let [slices, longestMs] = [0, 0];
  for (let isMore = true; isMore; slices += 1) {
    const since = performance.now();
    isMore = await store.shrink();
    longestMs = Math.max(longestMs, performance.now() - since);
  }
  return { slices, longestMs };
}

test("what is deleted comes back to the disk, in slices, but for a reserve", async () => {
  const path = databasePath();
  const store = await filled({ path }, 64);
  expect(bytesBeside(path)).toBeGreaterThan(64 * MIB);
  const { slices, longestMs } = await deleted(store);
  expect(slices).toBeGreaterThan(40);
  // Measured: 1 to 3 ms.
  expect(longestMs).toBeLessThan(100);
  expect(bytesBeside(path)).toBeLessThan(STORAGE_LIMITS.freeBytes + 3 * MIB);
  expect((await store.readEntries(sessionId("kept"), 1, 10)).entries[0]).toHaveLength(MIB);
  expect(await store.usedBytes()).toBeLessThan(2 * MIB);
});

test("the same where a thread checkpoints, whose log is cut off", async () => {
  const path = databasePath();
  const store = await filled({ path, checkpointProgram: program }, 64);
  await deleted(store);
  await expect.poll(() => bytesBeside(path), POLL).toBeLessThan(STORAGE_LIMITS.freeBytes + 3 * MIB);
  expect(statSync(`${path}-wal`).size).toBe(0);
});

test("a store of an earlier version is written anew once, and shrinks from then on", async () => {
  const path = databasePath();
  const old = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 9)) old.exec(step);
  old.exec(`PRAGMA user_version=9;
    INSERT INTO sessions (id, updated_at, body) VALUES ('"old"', 5, '{"id":"old","updatedAt":5}')`);
  old.close();
  const store = await filled({ path }, 32);
  expect(await store.readSession(sessionId("old"))).toMatchObject({ updatedAt: 5 });
  await deleted(store);
  expect(bytesBeside(path)).toBeLessThan(STORAGE_LIMITS.freeBytes + 3 * MIB);
});

test("a store of an earlier version is used as it is where the disk has no room to write it anew", async () => {
  const path = databasePath();
  const old = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 9)) old.exec(step);
  old.exec("PRAGMA user_version=9");
  old.close();
  disk.isFull = true;
  const store = await filled({ path }, 1);
  disk.isFull = false;
  await deleted(store);
  expect((await store.readEntries(sessionId("kept"), 1, 10)).entries[0]).toHaveLength(MIB);
});

test("the id of an older search feed and the number of the newest message are kept by the rewriting", async () => {
  const path = databasePath();
  const old = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 9)) old.exec(step);
  old.exec(`PRAGMA user_version=9;
    INSERT INTO messages (session, id, role, body) VALUES ('"s"', '"m"', '"user"', '{}'), ('"s"', '"n"', '"user"', '{}');
    DELETE FROM messages WHERE no = 2`);
  const { value } = old.prepare("SELECT value FROM meta WHERE name = 'messages_id'").get() as { value: number };
  old.close();
  const store = new SqliteStore({ path });
  await store.open();
  expect(store.messageFeed.source()).toEqual({ id: value, lastNo: 2, newestNo: 1 });
  await store.close();
});
