import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { type LinkEvent, type LinkPhase, next } from "../src/transport.machine.js";

const PHASES: readonly LinkPhase[] = ["open", "closing", "dropping", "ended"];
const EVENTS: readonly LinkEvent[] = ["close", "terminate", "ended"];

test("every phase is reachable, ends in one step, and `ended` is final", () => {
  const reached = new Set<LinkPhase>(["open"]);
  for (const phase of reached) for (const event of EVENTS) reached.add(next(phase, event));
  expect(reached).toEqual(new Set(PHASES));
  for (const phase of PHASES) expect(next(phase, "ended")).toBe("ended");
  for (const event of EVENTS) expect(next("ended", event)).toBe("ended");
});

test("nothing leads back: a link that was closed is never open again", () => {
  const rank = (phase: LinkPhase) => PHASES.indexOf(phase);
  for (const phase of PHASES) {
    for (const event of EVENTS) expect(rank(next(phase, event))).toBeGreaterThanOrEqual(rank(phase));
  }
});

test("the diagram names every phase and every event", async () => {
  const source = await readFile(new URL("../src/transport.machine.ts", import.meta.url), "utf8");
  const diagram = source.slice(0, source.indexOf("*/"));
  for (const word of [...PHASES, ...EVENTS]) expect(diagram).toContain(word);
});
