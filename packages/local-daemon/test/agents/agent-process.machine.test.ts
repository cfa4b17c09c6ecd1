import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  AGENT_PROCESS_STATES,
  type AgentProcessEvent,
  type AgentProcessState,
  nextProcessState,
} from "../../src/agents/agent-process.machine.js";

const EVENTS: readonly AgentProcessEvent[] = ["stop", "waited", "exited", "swept"];

/** Every state that can be reached from `from` by these events. */
function reachable(from: AgentProcessState, events: readonly AgentProcessEvent[]): Set<AgentProcessState> {
  const seen = new Set([from]);
  for (const state of seen) {
    for (const event of events) {
      const next = nextProcessState(state, event);
      if (next !== undefined) seen.add(next);
    }
  }
  return seen;
}

describe("the way out of an agent's process", () => {
  test("reaches every state from `running`", () => {
    expect(reachable("running", EVENTS)).toEqual(new Set(AGENT_PROCESS_STATES));
  });

  test.each(AGENT_PROCESS_STATES.filter((state) => state !== "gone"))("leads from `%s` to `gone`", (state) => {
    expect(reachable(state, EVENTS)).toContain("gone");
  });

  test("never goes back: `gone` and a dead process stay so", () => {
    for (const event of EVENTS) expect(nextProcessState("gone", event)).toBeUndefined();
    expect(nextProcessState("sweeping", "stop")).toBeUndefined();
    expect(nextProcessState("sweeping", "waited")).toBeUndefined();
  });

  test("climbs one step of the ladder at a time, and a second stop starts no second ladder", () => {
    expect(nextProcessState("running", "stop")).toBe("closing");
    expect(nextProcessState("closing", "stop")).toBeUndefined();
    expect(nextProcessState("closing", "waited")).toBe("terminating");
    expect(nextProcessState("terminating", "waited")).toBe("killing");
    expect(nextProcessState("killing", "waited")).toBeUndefined();
  });

  test("is drawn as it is: the diagram names every state", () => {
    const text = readFileSync(new URL("../../src/agents/agent-process.machine.ts", import.meta.url), "utf8");
    const diagram = text.slice(0, text.indexOf("*/"));
    for (const state of AGENT_PROCESS_STATES) expect(diagram).toContain(state);
  });
});
