import { sessionId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { SERVING_LIMITS } from "../../src/limits/index.js";
import { SessionEnvironments } from "../../src/sessions/session-environments.js";

const QUARTER = "x".repeat(SERVING_LIMITS.sessionEnvChars / 4);

function set(environments: SessionEnvironments, id: string, owner?: string): void {
  environments.set({ sessionId: sessionId(id), variables: { V: QUARTER }, owner });
}

const kept = (environments: SessionEnvironments) => environments.all().map((session) => session.sessionId);

test("variables past the bound push out the oldest ones of the same principal, and no other's", () => {
  const environments = new SessionEnvironments();
  for (const id of ["p-1", "p-2"]) set(environments, id);
  for (const id of ["k-1", "k-2", "k-3", "k-4", "k-5"]) set(environments, id, "a key");
  expect(kept(environments)).toEqual(["p-1", "p-2", "k-3", "k-4", "k-5"]);
  expect(environments.allowed(sessionId("p-1"), { name: "a", command: ["a"], allowEnv: ["V"] } as never)).toEqual({
    V: QUARTER,
  });
});

test("what a session has set anew, or has given up, makes room", () => {
  const environments = new SessionEnvironments();
  for (const id of ["p-1", "p-2", "p-3"]) set(environments, id);
  set(environments, "p-1");
  environments.delete(sessionId("p-2"));
  set(environments, "p-4");
  expect(kept(environments)).toEqual(["p-3", "p-1", "p-4"]);
});
