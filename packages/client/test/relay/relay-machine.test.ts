import { readFileSync } from "node:fs";
import { LIMITS } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { reconnectDelayMs } from "../../src/base/backoff.js";
import { nextRelayState, RELAY_TRANSITIONS, type RelayState } from "../../src/relay/relay.machine.js";

const EDGES = Object.entries(RELAY_TRANSITIONS).flatMap(([from, row]) =>
  Object.entries(row).map(([event, to]) => `${from} ${event} ${to}`),
);

test("the diagram shows every edge of the table, and no other", () => {
  const source = readFileSync(new URL("../../src/relay/relay.machine.ts", import.meta.url), "utf8");
  const drawn = new Set<string>();
  for (const line of source.split("\n").filter((text) => text.startsWith(" *"))) {
    const steps = [...line.matchAll(/(?=\b(\w+) ─(\w+)→ (\w+))/g)];
    for (const [, from, event, to] of steps) drawn.add(`${from} ${event} ${to}`);
  }
  expect(drawn).toEqual(new Set(EDGES));
});

test("every state can be reached from idle and leads to closed, which is final", () => {
  const reachable = (start: RelayState): Set<string> => {
    const seen = new Set<string>([start]);
    for (const state of seen) for (const to of Object.values(RELAY_TRANSITIONS[state as RelayState])) seen.add(to);
    return seen;
  };
  const states = Object.keys(RELAY_TRANSITIONS) as RelayState[];
  expect(reachable("idle")).toEqual(new Set(states));
  for (const state of states) expect(reachable(state).has("closed"), state).toBe(true);
  expect(RELAY_TRANSITIONS.closed).toEqual({});
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
