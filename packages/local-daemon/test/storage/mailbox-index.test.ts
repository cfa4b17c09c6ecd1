import { DatabaseSync } from "@photostructure/sqlite";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { MIGRATIONS } from "../../src/storage/schema.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { Store, StoreWrite } from "../../src/storage/store.js";
import { databasePath } from "./database-path.js";

/** The entry of a mailbox at that position. */
function entry(position: number): string {
  return `{"position":${position}}`;
}

function put(address: string, firstPosition: number, count = 1): StoreWrite {
  const entries = Array.from({ length: count }, (_none, index) => entry(firstPosition + index));
  return { kind: "mailboxSegment", row: { address, firstPosition, entries, createdAt: 1 } };
}

/** Lets the store write down where rows lie. */
async function step(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function entriesOf(store: Store, address: string, from = 1): Promise<readonly string[]> {
  const segments = await store.readMailbox(address, from, Number.POSITIVE_INFINITY);
  return segments.flatMap(({ entries }) => entries);
}

type Step = { readonly address: string } & (
  | { readonly count: number }
  | { readonly keep: number }
  | { readonly drop: true }
);

const address = fc.constantFrom("Bob", "Alice", '@user:"\0');
const steps = fc.array(
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ address, count: fc.integer({ min: 1, max: 3 }) }) },
      { weight: 2, arbitrary: fc.record({ address, keep: fc.nat(4) }) },
      { weight: 1, arbitrary: fc.record({ address, drop: fc.constant(true as const) }) },
    ),
    { maxLength: 6 },
  ),
  { maxLength: 8 },
);

/** Gives entries the next positions of their mailbox, and prunes behind the newest. */
function placed(commits: readonly (readonly Step[])[]): StoreWrite[][] {
  const last = new Map<string, number>();
  return commits.map((some) =>
    some.map((one): StoreWrite => {
      const newest = last.get(one.address) ?? 0;
      if ("drop" in one) {
        last.delete(one.address);
        return { kind: "dropMailbox", address: one.address };
      }
      if ("keep" in one) return { kind: "pruneMailbox", address: one.address, beforePosition: newest - one.keep };
      last.set(one.address, newest + one.count);
      return put(one.address, newest + 1, one.count);
    }),
  );
}

async function answers(store: Store): Promise<unknown> {
  const pages = async (address: string | undefined, order: "asc" | "desc") => {
    const found = [];
    for (let beyond: number | undefined; ; beyond = found.at(-1)?.no) {
      const page = await store.mailboxSegments({ address, order, beyond, limit: 2 });
      found.push(...page);
      if (page.length < 2) return found;
    }
  };
  const of = async (address: string | undefined) => [await pages(address, "asc"), await pages(address, "desc")];
  const addresses = ["Bob", "Alice", '@user:"\0', "nobody"];
  return {
    history: await Promise.all([undefined, ...addresses].map(of)),
    from: await Promise.all(addresses.flatMap((one) => [1, 3, 7].map((from) => store.readMailbox(one, from, 30)))),
  };
}

test("after any commits, the memory store and the SQLite store give the same mailboxes, in any order, from any place", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(1, 3, 1_000), async (commits, mailboxFreshRows) => {
      const memory = new MemoryStore();
      const sqlite = new SqliteStore({ path: ":memory:", mailboxFreshRows });
      await Promise.all([memory.open(), sqlite.open()]);
      for (const writes of placed(commits)) {
        await memory.commit(writes);
        await sqlite.commit(writes);
        await step();
      }
      expect(await answers(sqlite)).toEqual(await answers(memory));
      await sqlite.close();
    }),
    { numRuns: 200 },
  );
});

test("a store that ended before it wrote down where rows lie finds all of them again, and goes on behind them", async () => {
  const path = databasePath();
  for (const position of [1, 3, 5]) {
    const store = new SqliteStore({ path, mailboxFreshRows: 2 });
    await store.open();
    await store.commit([put("Bob", position), put("Alice", position)]);
    if (position > 1) await step();
    await store.commit([put("Bob", position + 1)]);
    await store.close();
  }
  const store = new SqliteStore({ path });
  await store.open();
  expect(await entriesOf(store, "Bob")).toEqual([1, 2, 3, 4, 5, 6].map(entry));
  expect(await entriesOf(store, "Alice")).toEqual([1, 3, 5].map(entry));
  await store.close();
});

test("what comes after the newest mailbox was dropped is found, though where the dropped rows lay was written down", async () => {
  const path = databasePath();
  for (const round of [1, 2]) {
    const store = new SqliteStore({ path, mailboxFreshRows: 1 });
    await store.open();
    await store.commit([put("Gone", 1), put("Gone", 2)]);
    await step();
    await store.commit([{ kind: "dropMailbox", address: "Gone" }]);
    await store.commit([put("Bob", round)]);
    expect(await entriesOf(store, "Gone")).toEqual([]);
    expect(await entriesOf(store, "Bob")).toEqual(Array.from({ length: round }, (_none, index) => entry(index + 1)));
    await store.close();
  }
});

test("what is dropped leaves no word of where it lay", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path, mailboxFreshRows: 1 });
  await store.open();
  await store.commit([put("Gone", 1), put("Bob", 1), put("Bob", 2), put("Bob", 3)]);
  await step();
  await store.commit([
    { kind: "dropMailbox", address: "Gone" },
    { kind: "pruneMailbox", address: "Bob", beforePosition: 3 },
  ]);
  await store.close();
  const file = new DatabaseSync(path);
  expect(file.prepare("SELECT address, last FROM mailbox_index").all()).toEqual([{ address: '"Bob"', last: 3 }]);
  file.close();
});

test("a disk with no room for where rows lie loses none of them", async () => {
  const store = new SqliteStore({ path: databasePath(), maxBytes: 40 * 16_384, mailboxFreshRows: 1 });
  await store.open();
  let last = 0;
  const isTaken = (writes: StoreWrite[]) =>
    store.commit(writes).then(
      () => true,
      () => false,
    );
  const many = (position: number) => Array.from({ length: 50 }, (_none, index) => put(`name-${index}`, position));
  for (; await isTaken(many(last + 1)); last += 1) await step();
  await step();
  expect(last).toBeGreaterThan(0);
  for (let index = 0; index < 50; index += 1) expect(await entriesOf(store, `name-${index}`)).toHaveLength(last);
  await store.close();
});

test("mailboxes of an earlier daemon are read where they ended, and go on", async () => {
  const path = databasePath();
  const earlier = new DatabaseSync(path);
  for (const sql of MIGRATIONS.slice(0, 4)) earlier.exec(sql);
  earlier.exec("PRAGMA user_version=4");
  const insert = earlier.prepare(
    "INSERT INTO mailbox_segments (address, first, last, bytes, created_at, entries) VALUES ('\"Bob\"', ?, ?, 9, 1, ?)",
  );
  earlier.exec("BEGIN");
  for (let position = 1; position <= 300; position += 1) insert.run(position, position, entry(position));
  earlier.exec("COMMIT");
  earlier.close();
  const store = new SqliteStore({ path });
  await store.open();
  await store.commit([put("Bob", 301)]);
  expect(await entriesOf(store, "Bob")).toEqual(Array.from({ length: 301 }, (_none, index) => entry(index + 1)));
  expect(await store.mailboxSegments({ address: "Bob", order: "desc", limit: 2 })).toMatchObject([
    { firstPosition: 301 },
    { firstPosition: 300 },
  ]);
  await store.close();
});
