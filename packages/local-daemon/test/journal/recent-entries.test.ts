import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { RecentBudget, RecentEntries } from "../../src/journal/recent-entries.js";
import { JOURNAL_LIMITS } from "../../src/limits/journal-limits.js";

const frames = (count: number, from = 1) => Array.from({ length: count }, (_, at) => `entry ${from + at}`);

test("entries are read from exactly the position that is asked for, over the seams of what was committed together", () => {
  const recent = new RecentEntries(new RecentBudget());
  recent.add(5, frames(3, 5));
  recent.add(8, frames(2, 8));
  expect(recent.from(6)).toEqual({ firstSeq: 6, entries: frames(4, 6) });
  expect(recent.from(9)).toEqual({ firstSeq: 9, entries: ["entry 9"] });
  expect(recent.from(4)).toBeUndefined();
  expect(recent.from(10)).toBeUndefined();
});

test("entries that do not follow the last ones take their place: there is never a hole in a run", () => {
  const budget = new RecentBudget();
  const recent = new RecentEntries(budget);
  recent.add(1, frames(2));
  recent.add(4, frames(1, 4));
  expect(recent.from(1)).toBeUndefined();
  expect(recent.from(4)).toEqual({ firstSeq: 4, entries: ["entry 4"] });
  expect(budget.chars).toBe("entry 4".length);
});

test("what every cursor is past is dropped, and its room is free again", () => {
  const budget = new RecentBudget();
  const recent = new RecentEntries(budget);
  for (let seq = 1; seq <= 5_000; seq++) {
    recent.add(seq, [`${seq % 10}`]);
    recent.dropBefore(seq - 1);
  }
  expect(budget.chars).toBe(2);
  expect(recent.from(4_998)).toBeUndefined();
  expect(recent.from(4_999)).toEqual({ firstSeq: 4_999, entries: ["9", "0"] });
});

test("all journals together keep no more than the budget: the oldest entries of any of them are dropped first", () => {
  const budget = new RecentBudget(10);
  const [one, other] = [new RecentEntries(budget), new RecentEntries(budget)];
  one.add(1, ["aaaa"]);
  other.add(1, ["bbbb"]);
  one.add(2, ["cccc"]);
  expect(one.from(1)).toBeUndefined();
  expect(one.from(2)).toEqual({ firstSeq: 2, entries: ["cccc"] });
  expect(other.from(1)).toEqual({ firstSeq: 1, entries: ["bbbb"] });
  other.add(2, ["x".repeat(11)]);
  expect([one.from(2), other.from(1), other.from(2)]).toEqual([undefined, undefined, undefined]);
  expect(budget.chars).toBe(0);
});

test("one journal keeps no more than its own bound, however much room the others leave", () => {
  const budget = new RecentBudget();
  const recent = new RecentEntries(budget);
  const quarter = Array.from({ length: 1_024 }, () => "x".repeat(JOURNAL_LIMITS.recentJournalChars / 4_096));
  for (let part = 0; part < 6; part++) recent.add(part * 1_024 + 1, quarter);
  expect(recent.from(2 * 1_024)).toBeUndefined();
  expect(recent.from(2 * 1_024 + 1)?.entries).toHaveLength(1_024);
  expect(budget.chars).toBe(JOURNAL_LIMITS.recentJournalChars);
});

test("large entries are left to the store, and there is no hole where they were", () => {
  const budget = new RecentBudget();
  const recent = new RecentEntries(budget);
  recent.add(1, ["small"]);
  recent.add(2, ["x".repeat(JOURNAL_LIMITS.recentEntryChars + 1)]);
  expect([recent.from(1), recent.from(2), budget.chars]).toEqual([undefined, undefined, 0]);
  recent.add(3, ["x".repeat(JOURNAL_LIMITS.recentEntryChars)]);
  recent.add(4, ["small"]);
  expect(recent.from(3)?.entries).toHaveLength(2);
});

test("what is dropped is no longer held, also while few have been dropped", async () => {
  const recent = new RecentEntries(new RecentBudget());
  const dropped = addsOne(recent);
  recent.add(2, ["kept"]);
  recent.dropBefore(2);
  await collected(dropped);
});

/** Adds entries that nobody else holds. */
function addsOne(recent: RecentEntries): WeakRef<readonly string[]> {
  const entries = [`entry ${Math.random()}`];
  recent.add(1, entries);
  return new WeakRef(entries);
}

async function collected(ref: WeakRef<object>): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let tries = 0; ref.deref() !== undefined; tries += 1) {
    expect(tries).toBeLessThan(100);
    // A reference that was read stays until the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}
