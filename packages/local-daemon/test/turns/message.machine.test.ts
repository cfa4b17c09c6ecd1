import fc from "fast-check";
import { expect, test } from "vitest";
import {
  endEventOf,
  MESSAGE_TRANSITIONS,
  type MessageEvent,
  nextMessageState,
} from "../../src/turns/message.machine.js";

const EVENTS: MessageEvent[] = ["hand", "start", "complete", "interrupt", "fail", "exit", "lose"];
const STATES = Object.keys(MESSAGE_TRANSITIONS) as (keyof typeof MESSAGE_TRANSITIONS)[];
const OPEN = new Set(["accepted", "handed", "running"]);

test("every turn that is open can end in every way, and an end is final", () => {
  for (const state of STATES) {
    const next = EVENTS.map((event) => nextMessageState(state, event));
    if (OPEN.has(state)) expect(next.slice(2).every((end) => end !== undefined && !OPEN.has(end))).toBe(true);
    else expect(next.every((end) => end === undefined)).toBe(true);
  }
});

test("whatever happens in whatever order, a turn ends at most once and is never handed over twice", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EVENTS)), (events) => {
      let state: (typeof STATES)[number] = "accepted";
      const taken: MessageEvent[] = [];
      for (const event of events) {
        const next = nextMessageState(state, event);
        if (next === undefined) continue;
        state = next;
        taken.push(event);
      }
      const ends = taken.filter((event) => event !== "hand" && event !== "start");
      expect(ends.length).toBeLessThanOrEqual(1);
      expect(taken.filter((event) => event === "hand").length).toBeLessThanOrEqual(1);
    }),
  );
});

test("reasons that agents and the daemon give are told apart, and an unknown one is a failure", () => {
  const reasons = [
    "completed",
    "cancelled",
    "error",
    "model_authentication_failed",
    "agent_exited",
    "daemon_restarted",
    "new",
  ];
  expect(reasons.map(endEventOf)).toEqual(["complete", "interrupt", "fail", "fail", "exit", "lose", "fail"]);
});
