import fc from "fast-check";
import { expect, test } from "vitest";
import { RecentIds } from "../../../src/relay/receiving/recent-ids.js";

test("the latest ids are known, each is added once, and no more than twice as many are kept", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 30 })), (least, numbers) => {
      const recent = new RecentIds(least);
      const added: string[] = [];
      for (const id of numbers.map(String)) {
        if (added.slice(-least).includes(id)) expect(recent.add(id)).toBe(false);
        else if (recent.add(id)) added.push(id);
        for (const late of added.slice(-least)) expect(recent.has(late)).toBe(true);
        for (const early of added.slice(0, -2 * least)) {
          if (!added.slice(-2 * least).includes(early)) expect(recent.has(early)).toBe(false);
        }
      }
    }),
  );
});
