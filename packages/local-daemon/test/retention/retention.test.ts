import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type SessionId, sessionId } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { STORAGE_LIMITS } from "../../src/limits/storage-limits.js";
import { Retention } from "../../src/retention/retention.js";
import type { RetentionOptions } from "../../src/retention/retention-options.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { Store } from "../../src/storage/store.js";
import { Harness } from "../sessions/harness.js";
import { databasePath } from "../storage/database-path.js";
import { message, segment, sessionRow } from "../storage/store-contract.js";

const DAY = 24 * 60 * 60_000;
const NOW = 1_000 * DAY;
const MIB = 2 ** 20;

interface Kept {
  /** Days since its last message. */
  readonly unused: number;
  readonly archived?: number;
}

/** Stores sessions with `mib` MiB each, and returns what is left of them after a run. */
async function left(
  store: Store,
  wanted: RetentionOptions,
  sessions: Readonly<Record<string, Kept>>,
  mib = 0,
): Promise<string[]> {
  await using harness = await Harness.start({ store, now: () => NOW });
  await storeSessions(store, sessions, mib);
  const retention = new Retention({ host: harness.host, wanted: () => wanted });
  const { deleted } = await retention.run();
  const ids = (await store.listSessions({ limit: 1_000 })).map(({ id }) => id as string).sort();
  expect(deleted).toBe(Object.keys(sessions).length - ids.length);
  return ids;
}

async function storeSessions(store: Store, sessions: Readonly<Record<string, Kept>>, mib = 0): Promise<void> {
  for (const [name, { unused, archived }] of Object.entries(sessions)) {
    const id = sessionId(name);
    const archivedAt = archived === undefined ? undefined : NOW - archived * DAY;
    const row = sessionRow(id, { updatedAt: NOW - unused * DAY, archivedAt, agent: "fake", agentSessionId: undefined });
    await store.commit([{ kind: "session", row }]);
    for (let seq = 1; seq <= mib; seq += 1) {
      await store.commit([{ kind: "segment", row: segment(id, seq, ["x".repeat(MIB)]) }]);
    }
  }
}

describe.each([
  ["in memory", () => new MemoryStore()],
  ["in a file", () => new SqliteStore({ path: databasePath() })],
] as const)("retention of sessions %s", (_where, make) => {
  test("deletes what was unused for so many days, and nothing without being told to", async () => {
    const sessions = {
      old: { unused: 31 },
      exact: { unused: 30 },
      new: { unused: 1 },
      archived: { unused: 2, archived: 1 },
    };
    expect(await left(make(), { days: 30 }, sessions)).toEqual(["archived", "exact", "new"]);
    expect(await left(make(), {}, sessions)).toHaveLength(4);
  });

  test("deletes what was archived so many days ago, however new its last message", async () => {
    const sessions = { old: { unused: 500 }, gone: { unused: 1, archived: 8 }, kept: { unused: 90, archived: 6 } };
    expect(await left(make(), { archivedDays: 7 }, sessions)).toEqual(["kept", "old"]);
  });

  test("looks through more sessions than one page holds, those of one moment among them", async () => {
    const sessions = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`s-${at}`, { unused: at < 150 ? 40 : 2 }]),
    );
    expect(await left(make(), { days: 30 }, sessions)).toHaveLength(50);
  });
});

test("above so many bytes, archived sessions go first, then the longest unused; the disk gets their room back", async () => {
  const path = databasePath();
  const sessions = { a: { unused: 1, archived: 1 }, b: { unused: 9 }, c: { unused: 8 }, d: { unused: 1 } };
  const store = new SqliteStore({ path });
  expect(await left(store, { bytes: 42 * MIB }, sessions, 20)).toEqual(["c", "d"]);
  const bytes = readdirSync(dirname(path)).reduce((sum, name) => sum + statSync(join(dirname(path), name)).size, 0);
  expect(bytes).toBeLessThan(42 * MIB + STORAGE_LIMITS.freeBytes);
});

test("a session that is in use is kept, whatever its age, and the others go", async () => {
  const store = new MemoryStore();
  await using harness = await Harness.start({ store, now: () => NOW });
  await storeSessions(store, { attached: { unused: 99 }, working: { unused: 99 }, unused: { unused: 99 } });
  const [reader, sender] = [await harness.connect(), await harness.connect()];
  await reader.loadSession("attached");
  await sender.loadSession("working");
  await sender.result("add_user_message", { sessionId: "working", text: "go", messageId: "m-1" });
  await sender.result("detach_session", { sessionId: "working" });
  const retention = new Retention({ host: harness.host, wanted: () => ({ days: 30 }) });
  expect(await retention.run()).toMatchObject({ deleted: 1 });
  expect(await store.readSession(sessionId("unused"))).toBeUndefined();
  await reader.result("detach_session", { sessionId: "attached" });
  expect(await retention.run()).toMatchObject({ deleted: 1 });
  expect(await store.readSession(sessionId("working"))).toBeDefined();
});

test("a session that is used, or taken out of the archive, after a run has read of it is kept", async () => {
  const store = new MemoryStore();
  await using harness = await Harness.start({ store, now: () => NOW });
  await storeSessions(store, { a: { unused: 99 }, used: { unused: 98 } });
  await storeSessions(store, { b: { unused: 99, archived: 9 }, unarchived: { unused: 98, archived: 8 } });
  const deletes = harness.host.dropped.bind(harness.host);
  // While the first one is deleted.
  harness.host.dropped = async () => {
    await deletes();
    await harness.host.patch("used", { updatedAt: NOW });
    await harness.host.patch("unarchived", { archivedAt: undefined });
  };
  const wanted = { days: 30, archivedDays: 7 };
  const { deleted } = await new Retention({ host: harness.host, wanted: () => ({ archivedDays: 7 }) }).run();
  expect(deleted).toBe(1);
  expect(await store.readSession(sessionId("unarchived"))).toBeDefined();
  await storeSessions(store, { used: { unused: 98 } });
  await new Retention({ host: harness.host, wanted: () => wanted }).run();
  expect((await store.listSessions({ limit: 9 })).map(({ id }) => id)).toEqual(["used"]);
});

test("a stop does not wait until the rows of a deleted session are dropped, and the next daemon drops them", async () => {
  const store = new MemoryStore();
  await using harness = await Harness.start({ store, now: () => NOW });
  await storeSessions(store, { large: { unused: 99 } });
  const rows = Array.from({ length: STORAGE_LIMITS.dropRows * 100 }, (_none, at) => message(`m-${at}`, "text"));
  await store.commit(rows.map((row) => ({ kind: "message", sessionId: sessionId("large"), message: row })));
  const retention = new Retention({ host: harness.host, wanted: () => ({ days: 30 }) });
  const running = retention.run();
  while ((await store.readSession(sessionId("large"))) !== undefined) await new Promise(setImmediate);
  await retention.stop();
  expect(await running).toMatchObject({ deleted: 1 });
  expect(await store.drafts()).toEqual(["large"]);
});

test("a run that is stopped ends behind the session that it deletes, and a later one goes on", async () => {
  const store = new MemoryStore();
  await using harness = await Harness.start({ store, now: () => NOW });
  await storeSessions(store, { a: { unused: 99 }, b: { unused: 98 }, c: { unused: 97 } });
  const parts = { host: harness.host, wanted: () => ({ days: 30 }) };
  const first = new Retention(parts);
  const running = first.run();
  await first.stop();
  expect((await running).deleted).toBeLessThan(3);
  await new Retention(parts).run();
  expect(await store.listSessions({ limit: 9 })).toEqual([]);
  expect(await store.drafts()).toEqual([]);
});

describe("the stored sessions of a key", () => {
  const keys = [{ key: "a-key-with-a-quota-0", quotas: { storedSessions: 2 } }, { key: "a-key-without-one-0" }];
  const ids = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
  ];

  test("are bounded: its oldest archived one makes room, and without one a new session is refused by name", async () => {
    await using harness = await Harness.start({ keys });
    const client = harness.dial();
    await client.authenticate({ apiKey: keys[0]?.key });
    const make = (at: number) =>
      client.call("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: ids[at] });
    expect((await make(0)).error).toBeUndefined();
    expect((await make(1)).error).toBeUndefined();
    const { error } = await make(2);
    expect(error).toMatchObject({
      data: { code: "SESSION_STATE" },
      message: expect.stringContaining("quotas.storedSessions"),
    });
    expect(harness.spawner.agents).toHaveLength(2);
    // A session of that id is the answer, and needs no room.
    expect((await make(1)).error).toBeUndefined();
    await client.result("close_session", { sessionId: ids[0] });
    await client.result("archive_session", { sessionId: ids[0] });
    expect((await make(2)).error).toBeUndefined();
    expect(await harness.store.readSession(ids[0] as SessionId)).toBeUndefined();
    const other = harness.dial();
    await other.authenticate({ apiKey: keys[1]?.key });
    for (const at of [3, 4, 5]) {
      const sessionId = `${at}4444444-4444-4444-8444-444444444444`;
      await other.result("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId });
    }
  });
});
