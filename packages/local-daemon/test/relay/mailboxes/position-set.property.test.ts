import fc from "fast-check";
import { expect, test } from "vitest";
import { PositionSet } from "../../../src/relay/mailboxes/position-set.js";
import { WaitingList } from "../../../src/relay/mailboxes/waiting-list.js";

const position = fc.integer({ min: 1, max: 40 });

/** The runs of a set of positions, the slow way. */
function runsOf(positions: ReadonlySet<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (const at of [...positions].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === at - 1) last[1] = at;
    else runs.push([at, at]);
  }
  return runs;
}

test("a set of positions is what any set is, kept as runs that never touch", () => {
  fc.assert(
    fc.property(fc.array(position), (added) => {
      const set = new PositionSet();
      const model = new Set<number>();
      for (const at of added) {
        expect(set.add(at)).toBe(!model.has(at));
        model.add(at);
      }
      expect(set.runs).toEqual(runsOf(model));
      expect(set.size).toBe(model.size);
      for (let at = 0; at <= 41; at++) expect(set.has(at)).toBe(model.has(at));
      expect(new PositionSet(set.runs).runs).toEqual(set.runs);
    }),
  );
});

test("dropping through a position takes the run behind it along, and leaves the rest", () => {
  fc.assert(
    fc.property(fc.array(position), position, (added, through) => {
      const set = new PositionSet();
      for (const at of added) set.add(at);
      let last = through;
      while (added.includes(last + 1)) last++;
      expect(set.dropThrough(through)).toBe(last);
      expect(set.runs).toEqual(runsOf(new Set(added.filter((at) => at > last))));
      expect(set.size).toBe(new Set(added.filter((at) => at > last)).size);
    }),
  );
});

test("entries that wait are taken out in any order, once, and the rest stay in order", () => {
  const step = fc.oneof(
    fc.constant({ kind: "add" as const }),
    fc.record({ kind: fc.constant("take" as const), position }),
    fc.record({ kind: fc.constant("drop" as const), position }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const list = new WaitingList();
      let model: number[] = [];
      let highest = 0;
      for (const action of steps) {
        if (action.kind === "add") {
          highest++;
          list.add({ id: `e-${highest}`, position: highest, bytes: 1, since: 0, attempt: 0, dueAt: 0 });
          model.push(highest);
        } else if (action.kind === "take") {
          const wanted = model.includes(action.position) ? action.position : undefined;
          expect(list.take(`e-${action.position}`)?.position).toBe(wanted);
          model = model.filter((at) => at !== wanted);
        } else {
          list.dropThrough(action.position);
          model = model.filter((at) => at > action.position);
        }
        expect([...list.values()].map((entry) => entry.position)).toEqual(model);
        expect([list.size, list.highest]).toEqual([model.length, highest]);
      }
    }),
  );
});

test("a list that is used for long does not grow", () => {
  const list = new WaitingList();
  for (let at = 1; at <= 10_000; at++) {
    list.add({ id: `e-${at}`, position: at, bytes: 1, since: 0, attempt: 0, dueAt: 0 });
    if (at > 2) expect(list.take(`e-${at - 2}`)?.position).toBe(at - 2);
  }
  expect([...list.values()].map((entry) => entry.position)).toEqual([9_999, 10_000]);
});
