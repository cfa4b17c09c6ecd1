import { expect, test } from "vitest";
import {
  CONNECTION_TRANSITIONS,
  type ConnectionState,
  nextConnectionState,
} from "../../src/connection/connection.machine.js";

const STATES = Object.keys(CONNECTION_TRANSITIONS) as ConnectionState[];

test("the end of the link closes it in every state, and once", () => {
  for (const state of STATES) {
    expect(nextConnectionState(state, "ended"), state).toBe(state === "closed" ? undefined : "closed");
  }
});

test("closing leads nowhere but to closed, and nothing is active without a handshake", () => {
  expect(CONNECTION_TRANSITIONS.closing).toEqual({ ended: "closed" });
  const intoActive = STATES.flatMap((state) =>
    Object.entries(CONNECTION_TRANSITIONS[state]).flatMap(([event, to]) => (to === "active" ? [[state, event]] : [])),
  );
  expect(intoActive).toEqual([["handshaking", "accepted"]]);
});
