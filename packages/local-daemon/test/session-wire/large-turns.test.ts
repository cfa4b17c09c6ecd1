import { expect, test } from "vitest";
import { LargeTurns } from "../../src/session-wire/large-turns.js";

function taking(turns: LargeTurns, keyId: string | undefined) {
  const pauses: boolean[] = [];
  return { pauses, turn: turns.take(keyId, (isPaused) => pauses.push(isPaused)) };
}

test("large messages of one key arrive one at a time, and those of others beside them", () => {
  const turns = new LargeTurns();
  const [first, second, third] = [taking(turns, "key"), taking(turns, "key"), taking(turns, "key")];
  expect([first.pauses.at(-1), second.pauses.at(-1), third.pauses.at(-1)]).toEqual([false, true, true]);
  expect(taking(turns, "other").pauses).toEqual([false]);
  expect(taking(turns, undefined).pauses).toEqual([false]);
  first.turn.end();
  first.turn.end();
  expect([second.pauses.at(-1), third.pauses.at(-1)]).toEqual([false, true]);
  // Its connection has ended while it had its turn, or waited.
  second.turn.end();
  expect(third.pauses.at(-1)).toBe(false);
});

test("one that is given up while it waits has no turn", () => {
  const turns = new LargeTurns();
  const [first, second, third] = [taking(turns, "key"), taking(turns, "key"), taking(turns, "key")];
  second.turn.end();
  first.turn.end();
  expect(second.pauses).toEqual([true]);
  expect(third.pauses.at(-1)).toBe(false);
});
