import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  CONNECTION_STATES,
  type ConnectionEvent,
  type ConnectionState,
  nextConnectionState,
} from "../../src/connection/connection.machine.js";

const EVENTS: ConnectionEvent[] = ["opened", "accepted", "close", "ended"];

function reachable(from: ConnectionState): Set<ConnectionState> {
  const found = new Set([from]);
  for (const state of found) {
    for (const event of EVENTS) {
      const next = nextConnectionState(state, event);
      if (next !== undefined) found.add(next);
    }
  }
  return found;
}

test("every state can be reached, and every one can be left by an end", () => {
  expect(reachable("connecting")).toEqual(new Set(CONNECTION_STATES));
  for (const state of CONNECTION_STATES) {
    expect(nextConnectionState(state, "ended"), state).toBe(state === "closed" ? undefined : "closed");
  }
});

test("closed is final, closing leads nowhere else, and nothing is active without a handshake", () => {
  expect([...reachable("closed")]).toEqual(["closed"]);
  expect([...reachable("closing")]).toEqual(["closing", "closed"]);
  const intoActive = CONNECTION_STATES.flatMap((state) =>
    EVENTS.filter((event) => nextConnectionState(state, event) === "active").map((event) => [state, event]),
  );
  expect(intoActive).toEqual([["handshaking", "accepted"]]);
});

test("the diagram in the comment names every edge of the path and every state", () => {
  const source = readFileSync(new URL("../../src/connection/connection.machine.ts", import.meta.url), "utf8");
  const comment = source.slice(0, source.indexOf("*/"));
  for (const state of CONNECTION_STATES) expect(comment).toContain(state);
  for (const event of EVENTS) expect(comment).toContain(event);
});
