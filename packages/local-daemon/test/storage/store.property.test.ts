import { messageId, type SessionId, sessionId } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { SegmentRow, Store, StoreWrite } from "../../src/storage/store.js";
import { message, segment, sessionRow, turn } from "./store-contract.js";

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
    next.set(row.sessionId, firstSeq + row.frames.length);
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
    frames: await Promise.all([1, 2, 5, 9].map((from) => store.readFrames(id, from, 20))),
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
