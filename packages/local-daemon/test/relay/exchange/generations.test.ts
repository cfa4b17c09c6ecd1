import { describe, expect, test } from "vitest";
import { Generations } from "../../../src/relay/exchange/generations.js";

const account = (generation: number, position: number) => ({ generation, position, refused: [] });

describe("generations of an outbox", () => {
  test("each start of the daemon writes under a larger one, also under a clock that went back", () => {
    const generations = new Generations();
    generations.begin({ now: 100, start: 0, lowWater: 0 });
    generations.begin({ now: 50, start: 5, lowWater: 2 });
    expect(generations.list).toEqual([
      { id: 100, start: 0 },
      { id: 101, start: 5 },
    ]);
    expect([generations.of(5).id, generations.of(6).id]).toEqual([100, 101]);
  });

  test("those without a letter that waits are dropped", () => {
    const generations = new Generations([
      { id: 1, start: 0 },
      { id: 2, start: 4 },
      { id: 3, start: 9 },
    ]);
    generations.begin({ now: 10, start: 9, lowWater: 4 });
    expect(generations.list.map(({ id }) => id)).toEqual([2, 10]);
  });

  test("an account covers no position that a restored store uses again", () => {
    const generations = new Generations([
      { id: 1, start: 0 },
      { id: 2, start: 300 },
    ]);
    expect(generations.reached(account(1, 500))).toBe(300);
    expect(generations.reached(account(2, 310))).toBe(310);
    expect(generations.reached(account(7, 310))).toBe(0);
  });

  test("a receiver that has lost its account takes the next letter only under a new one", () => {
    const generations = new Generations([{ id: 1, start: 0 }]);
    expect(generations.isTaken(account(0, 0), 0)).toBe(true);
    expect(generations.isTaken(account(1, 8), 8)).toBe(true);
    expect(generations.isTaken(account(0, 0), 8)).toBe(false);
    generations.renew({ now: 5, start: 8, above: 20 });
    expect(generations.list).toEqual([{ id: 21, start: 8 }]);
    expect(generations.isTaken(account(0, 0), 8)).toBe(true);
  });
});
