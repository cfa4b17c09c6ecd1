import { expect, test } from "vitest";
import { type LinkEvent, type LinkPhase, next } from "../src/transport.machine.js";

const PHASES: readonly LinkPhase[] = ["open", "closing", "dropping", "ended"];
const EVENTS: readonly LinkEvent[] = ["close", "terminate", "ended"];

test("every phase ends in one step, and `ended` is final", () => {
  for (const phase of PHASES) expect(next(phase, "ended")).toBe("ended");
  for (const event of EVENTS) expect(next("ended", event)).toBe("ended");
});

test("nothing leads back: a link that was closed is never open again", () => {
  const rank = (phase: LinkPhase) => PHASES.indexOf(phase);
  for (const phase of PHASES) {
    for (const event of EVENTS) expect(rank(next(phase, event))).toBeGreaterThanOrEqual(rank(phase));
  }
});
