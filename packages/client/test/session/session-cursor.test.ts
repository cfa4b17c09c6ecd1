import type { EnvelopeMeta } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SessionCursor } from "../../src/session/session-cursor.js";

const at = (epoch: number, seq: number): EnvelopeMeta => ({ epoch, seq });

describe("a session's cursor", () => {
  test("takes entries in order, also across a restart of the daemon", () => {
    const cursor = new SessionCursor();
    cursor.moveTo({ epoch: 1, seq: 4 });
    expect([at(1, 5), at(1, 6), at(2, 7)].map((meta) => cursor.take(meta))).toEqual(["next", "next", "next"]);
    expect(cursor.position).toEqual({ epoch: 2, seq: 7 });
  });

  test("knows nothing before the first entry, and takes that as it comes", () => {
    const cursor = new SessionCursor();
    expect(cursor.position).toBeUndefined();
    expect(cursor.take(at(1, 41))).toBe("next");
    expect(cursor.take(at(1, 42))).toBe("next");
  });

  test("lets everything pass that has no place", () => {
    const cursor = new SessionCursor();
    expect([undefined, {}, { seq: 1 }].map((meta) => cursor.take(meta))).toEqual(["next", "next", "next"]);
    expect(cursor.position).toBeUndefined();
  });

  test("drops what came before, and counts it", () => {
    const cursor = new SessionCursor();
    cursor.moveTo({ epoch: 2, seq: 4 });
    expect([at(2, 4), at(2, 1), at(1, 9)].map((meta) => cursor.take(meta))).toEqual(Array(3).fill("duplicate"));
    expect(cursor.counters).toEqual({ duplicates: 3, holes: 0 });
    expect(cursor.take(at(2, 5))).toBe("next");
  });

  test.each([at(2, 6), at(3, 6), at(3, 4)])("tells a hole before %o, counts it, and goes on behind it", (meta) => {
    const cursor = new SessionCursor();
    cursor.moveTo({ epoch: 2, seq: 4 });
    expect(cursor.take(meta)).toBe("hole");
    expect(cursor.hole).toEqual({ epoch: 2, seq: 4 });
    expect(cursor.take(at(3, (meta.seq ?? 0) + 1))).toBe("next");
    expect(cursor.counters).toEqual({ duplicates: 0, holes: 1 });
  });

  test("early entries move nothing, come early once, and are known again in their place", () => {
    const cursor = new SessionCursor();
    cursor.moveTo({ epoch: 1, seq: 1 });
    expect(cursor.take({ ...at(1, 4), early: true })).toBe("early");
    // Once more, as after a reconnect.
    expect(cursor.take({ ...at(1, 4), early: true })).toBe("duplicate");
    expect(cursor.position).toEqual({ epoch: 1, seq: 1 });
    expect([at(1, 2), at(1, 3), at(1, 4), at(1, 5)].map((meta) => cursor.take(meta))).toEqual([
      "next",
      "next",
      "again",
      "next",
    ]);
  });

  test("what must not wait among skipped entries is news, though it lies before the new place", () => {
    const cursor = new SessionCursor();
    cursor.moveTo({ epoch: 1, seq: 9 });
    expect(cursor.take({ ...at(1, 5), early: true })).toBe("early");
    expect(cursor.take(at(1, 10))).toBe("next");
  });

  test("whatever is repeated from wherever, each entry is taken once and in order", () => {
    const resumes = fc.array(fc.record({ back: fc.nat(10), forth: fc.nat(15) }), { maxLength: 20 });
    fc.assert(
      fc.property(resumes, (steps) => {
        const cursor = new SessionCursor();
        cursor.moveTo(at(1, 0) as { epoch: number; seq: number });
        const taken: number[] = [];
        let sent = 0;
        for (const { back, forth } of steps) {
          const first = Math.max(0, sent - back);
          sent = Math.max(sent, first + forth);
          for (let seq = first + 1; seq <= first + forth; seq += 1) {
            if (cursor.take(at(1, seq)) === "next") taken.push(seq);
          }
        }
        expect(taken).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
        expect(cursor.counters.holes).toBe(0);
      }),
    );
  });
});
