import { copyFileSync, existsSync } from "node:fs";
import { messageId, type SessionId, sessionId } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { RECOUNT } from "../../src/storage/schema.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { SegmentRow, Store, StoreWrite } from "../../src/storage/store.js";
import { databasePath } from "./database-path.js";
import { message, request, segment, sessionRow, turn } from "./store-contract.js";

const SESSIONS = ["s-1", "s-2", "a", "\0"].map(sessionId);
const session = fc.constantFrom(...SESSIONS);
const id = fc.constantFrom("a", "b", "c", "\ud800");
const words = fc.array(fc.constantFrom("fox", "foxes", "quick", "dog", "\n", "Straße"), { maxLength: 5 });

/** A write whose segment, if it is one, still lacks its place: a journal has no overlaps. */
const write: fc.Arbitrary<StoreWrite> = fc.oneof(
  fc
    .record({ at: fc.integer({ min: 1, max: 9 }), of: session, archivedAt: fc.constantFrom(undefined, 1, 2) })
    .map(({ at, of, archivedAt }): StoreWrite => {
      const owner = at % 2 === 0 ? "k" : undefined;
      return { kind: "session", row: sessionRow(of, { updatedAt: at, archivedAt, owner }) };
    }),
  fc
    .record({ of: session, frames: fc.array(fc.json(), { minLength: 1, maxLength: 5 }) })
    .map(({ of, frames }): StoreWrite => ({ kind: "segment", row: segment(of, 0, frames) })),
  fc.record({ of: session, id, words }).map(({ of, id, words }): StoreWrite => {
    return { kind: "message", sessionId: of, message: message(id, words.join(" ")) };
  }),
  fc.record({ of: session, id }).map(({ of, id }): StoreWrite => {
    return { kind: "retractMessage", sessionId: of, messageId: id };
  }),
  fc.record({ of: session, id, ordinal: fc.integer({ min: 1, max: 9 }), ended: fc.boolean() }).map(
    ({ of, id, ordinal, ended }): StoreWrite => ({
      kind: "turn",
      row: turn(of, id, ordinal, ended ? { state: "completed", endedAt: 1 } : {}),
    }),
  ),
  fc.record({ of: session, id, text: fc.constantFrom("{}", '{"text":"é"}') }).map(({ of, id, text }): StoreWrite => {
    return { kind: "turn", row: turn(of, id, 3), prompt: text };
  }),
  fc.record({ of: session, id, bytes: fc.nat(9) }).map(({ of, id, bytes }): StoreWrite => {
    return { kind: "promptPart", sessionId: of, id: messageId(id), part: 0, bytes: new Uint8Array(bytes) };
  }),
  fc
    .record({ of: session, id, params: fc.constantFrom("{}", '{"a":"\u{1f98a}"}') })
    .map(({ of, id, params }): StoreWrite => {
      return { kind: "request", row: request(of, `${of} ${id}`, { params }) };
    }),
  fc.record({ of: session, beforeSeq: fc.nat(20) }).map(({ of, beforeSeq }): StoreWrite => {
    return { kind: "pruneJournal", sessionId: of, beforeSeq };
  }),
  // Which rows a smaller slice drops is the store's choice.
  fc.record({ of: session, isDrop: fc.boolean() }).map(({ of, isDrop }): StoreWrite => {
    return isDrop ? { kind: "dropDraft", sessionId: of, rows: 1_000 } : { kind: "deleteSession", sessionId: of };
  }),
);

function placed(commits: StoreWrite[][]): StoreWrite[][] {
  const next = new Map<SessionId, number>();
  const place = (row: SegmentRow): SegmentRow => {
    const firstSeq = next.get(row.sessionId) ?? 1;
    next.set(row.sessionId, firstSeq + row.entries.length);
    return { ...row, firstSeq };
  };
  return commits.map((writes) =>
    writes.map((entry) => (entry.kind === "segment" ? { kind: "segment", row: place(entry.row) } : entry)),
  );
}

async function answers(store: Store): Promise<unknown> {
  const of = async (id: SessionId) => ({
    row: await store.readSession(id),
    bounds: await store.journalBounds(id),
    segments: await store.journalSegments(id, Number.MAX_SAFE_INTEGER, 100),
    olderSegments: await store.journalSegments(id, 5, 2),
    entries: await Promise.all([1, 2, 5, 9].map((from) => store.readEntries(id, from, 20))),
    messages: (await store.readMessages(id, { limit: 100 })).messages,
    count: await store.countMessages(id),
    open: byKey(await store.openTurns(id)),
    turn: await store.readTurn(id, messageId("a")),
    ordinal: await store.lastTurnOrdinal(id),
  });
  return {
    sessions: await Promise.all(SESSIONS.map(of)),
    list: await store.listSessions({ limit: 2 }),
    drafts: await store.drafts(),
    oldest: await store.oldestSessions({ archived: false, before: 5, after: { at: 1, id: sessionId("a") }, limit: 2 }),
    archived: await store.oldestSessions({ archived: true }),
    ofKey: await store.countSessions("k"),
    open: byKey(await store.openTurns()),
    sizes: SESSIONS.map((id) => store.storedBytes?.ofSession?.(id)),
    bytes: [store.storedBytes?.of(undefined), store.storedBytes?.of("k")],
  };
}

/** Two open turns of one ordinal have no order; the daemon never makes them. */
function byKey(rows: readonly { sessionId: string; id: string }[]): unknown {
  return rows.map((row) => JSON.stringify(row)).sort();
}

test("after any commits, the memory store and the SQLite store give the same answers", async () => {
  const commits = fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 8 });
  // From as few on, the SQLite store writes down where they lie while others come.
  const journalFreshRows = fc.constantFrom(1, 3, 1_000);
  await fc.assert(
    fc.asyncProperty(commits, journalFreshRows, async (commits, journalFreshRows) => {
      const memory = new MemoryStore({ now: () => 0 });
      const sqlite = new SqliteStore({ path: ":memory:", journalFreshRows, now: () => 0 });
      expect(await memory.open()).toEqual(await sqlite.open());
      for (const writes of placed(commits)) {
        await memory.commit(writes);
        await sqlite.commit(writes);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await answers(memory)).toEqual(await answers(sqlite));
      await sqlite.close();
    }),
    { numRuns: 150 },
  );
});

/** What a store counts, beside what is in its file. */
function recounted(path: string): ReadonlyMap<string | undefined, number> {
  const database = new DatabaseSync(path);
  try {
    database.exec(`BEGIN; ${RECOUNT}`);
    const sql = "SELECT name, value FROM meta WHERE name LIKE 'bytes %' AND value > 0";
    const rows = database.prepare(sql).all() as { name: string; value: number }[];
    return new Map(rows.map(({ name, value }) => [name.slice("bytes ".length) || undefined, value]));
  } finally {
    database.close();
  }
}

test("after any commits and kills, each principal's bytes are those that a recount finds", async () => {
  const path = databasePath();
  let copies = 0;
  /** What a killed daemon leaves: the file, and the log that nobody checkpointed. */
  const killed = (from: string): string => {
    copies += 1;
    const to = `${path}-${copies}`;
    for (const end of ["", "-wal"]) if (existsSync(from + end)) copyFileSync(from + end, to + end);
    return to;
  };
  type Step = readonly StoreWrite[] | "kill" | "close" | "fail";
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.array(write, { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constantFrom("kill", "close", "fail") },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      let file = killed(path);
      let store = new SqliteStore({ path: file, now: () => 0, journalFreshRows: 3 });
      await store.open();
      const isWrites = (one: Step): one is StoreWrite[] => typeof one !== "string";
      const commits = placed(steps.map((one) => (isWrites(one) ? one : [])));
      for (const [index, one] of steps.entries()) {
        if (isWrites(one)) await store.commit(commits[index] ?? []);
        else if (one === "fail") {
          const twice = { kind: "promptPart", sessionId: sessionId("a"), id: messageId("a"), part: 7 } as const;
          const writes = [message("x", "lost"), message("y", "lost")].map((lost) => {
            return { kind: "message", sessionId: sessionId("a"), message: lost } as const;
          });
          const part = { ...twice, bytes: new Uint8Array(3) };
          await expect(store.commit([...writes, part, part])).rejects.toThrow();
        } else {
          const left = one === "kill" ? killed(file) : file;
          await store.close();
          file = left;
          store = new SqliteStore({ path: file, now: () => 0, journalFreshRows: 3 });
          await store.open();
        }
        expect(store.storedBytes.all()).toEqual(recounted(killed(file)));
      }
      await store.close();
    }),
    { numRuns: 25 },
  );
});
