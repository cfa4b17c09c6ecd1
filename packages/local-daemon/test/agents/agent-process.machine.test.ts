import { expect, test } from "vitest";
import { type AgentProcessEvent, nextProcessState } from "../../src/agents/agent-process.machine.js";

const EVENTS: readonly AgentProcessEvent[] = ["stop", "waited", "exited", "swept"];

test("the way out never goes back: `gone` and a dead process stay so", () => {
  for (const event of EVENTS) expect(nextProcessState("gone", event)).toBeUndefined();
  expect(nextProcessState("sweeping", "stop")).toBeUndefined();
  expect(nextProcessState("sweeping", "waited")).toBeUndefined();
});

test("it climbs one step of the ladder at a time, and a second stop starts no second ladder", () => {
  expect(nextProcessState("running", "stop")).toBe("closing");
  expect(nextProcessState("closing", "stop")).toBeUndefined();
  expect(nextProcessState("closing", "waited")).toBe("terminating");
  expect(nextProcessState("terminating", "waited")).toBe("killing");
  expect(nextProcessState("killing", "waited")).toBeUndefined();
});
