import { LIMITS } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { reconnectDelayMs } from "../../../src/base/backoff.js";
import { nextRelayState } from "../../../src/relay/connection/relay.machine.js";

test("an event that has no meaning in a state changes nothing", () => {
  expect(nextRelayState("closed", "dial")).toBeUndefined();
});

test("pauses grow as the table says, spread so that many clients do not come at once", () => {
  const delays = LIMITS.reconnectDelaysMs;
  const middle = delays.map((_, attempt) => reconnectDelayMs(attempt, () => 0.5));
  expect(middle).toEqual([...delays]);
  expect(reconnectDelayMs(99, () => 0.5)).toBe(5000);
  for (const [attempt, least, most] of [
    [0, 8, 12],
    [3, 100, 300],
  ] as const) {
    expect(reconnectDelayMs(attempt, () => 0)).toBeCloseTo(least);
    expect(reconnectDelayMs(attempt, () => 1)).toBeCloseTo(most);
  }
});
