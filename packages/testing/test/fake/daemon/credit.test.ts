import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeDaemon } from "../../../src/index.js";
import { RawClient } from "../../raw-client.js";
import { entriesOf, permission, placeOf, seqsOf } from "./entries.js";

test("a session sends within its credit, what is urgent ahead of its place, and the rest when it is granted", async () => {
  const daemon = new FakeDaemon();
  const session = daemon.addSession({ id: "s" });
  const client = await RawClient.connect(daemon);
  const credit = { events: 2, bytes: 10_000 };
  await client.call("load_session", { sessionId: "s", token: "t", inbox: true, credit });
  for (const type of ["n-1", "n-2", "n-3", "n-4"]) session.notify({ type });
  const answer = session.askPermission(permission);
  const asked = await client.waitFor(({ type }) => type === "request");
  expect(client.story).toEqual(["n-1", "n-2", "request:daemon.request_permission"]);
  expect(placeOf(asked)).toEqual({ epoch: 1, seq: 5, early: true });
  client.respond(asked.id, { selectedOption: "proceed_once" });
  expect(await answer).toEqual({ selectedOption: "proceed_once" });
  await client.waitForNotification("permission_resolved");
  client.send({ type: "notification", method: "daemon.grant_credit", params: { sessionId: "s", events: 9, bytes: 0 } });
  await client.waitForNotification("permission_resolved", 2);
  expect(client.story.slice(3)).toEqual([
    "permission_resolved",
    "n-3",
    "n-4",
    "request:daemon.request_permission",
    "permission_resolved",
  ]);
  expect(entriesOf(client).filter((frame) => !placeOf(frame)?.early)).toHaveLength(6);
  expect(session.attached.values().next().value?.credit?.events).toBe(7);
});

test("credit in bytes is taken by the frame in UTF-8, and the last entry may overdraw it", async () => {
  const daemon = new FakeDaemon();
  const session = daemon.addSession({ id: "s" });
  const client = await RawClient.connect(daemon);
  await client.call("load_session", { sessionId: "s", token: "t", credit: { events: 100, bytes: 1 } });
  session.notify({ type: "n-1", text: "ü".repeat(10) });
  session.notify({ type: "n-2" });
  const entry = await client.waitForNotification("n-1");
  const size = new TextEncoder().encode(JSON.stringify(entry)).byteLength;
  expect([...session.attached.values()][0]?.credit).toEqual({ events: 99, bytes: 1 - size });
  const bytes = size - 1;
  client.send({ type: "notification", method: "daemon.grant_credit", params: { sessionId: "s", events: 0, bytes } });
  await client.call("ping");
  expect(client.story).toEqual(["n-1"]);
  client.send({ type: "notification", method: "daemon.grant_credit", params: { sessionId: "s", events: 0, bytes: 1 } });
  await client.waitForNotification("n-2");
});

test("follow_session begins from now with exactly its credit, and with none it stops", async () => {
  const daemon = new FakeDaemon();
  const session = daemon.addSession({ id: "s" });
  const client = await RawClient.connect(daemon);
  await client.call("load_session", { sessionId: "s", token: "t", credit: { events: 0, bytes: 0 } });
  session.notify({ type: "missed" });
  const followed = await client.call("follow_session", { sessionId: "s", credit: { events: 1, bytes: 1_000 } });
  const state = { isAgentLoopInProgress: false, workingState: "idle" };
  expect(followed.result).toEqual({ position: { epoch: 1, seq: 1 }, ...state });
  session.notify({ type: "heard" });
  session.notify({ type: "too many" });
  await client.waitForNotification("heard");
  await client.call("follow_session", { sessionId: "s", credit: { events: 0, bytes: 0 } });
  session.notify({ type: "not wanted" });
  await client.call("ping");
  expect(client.story).toEqual(["heard"]);
});

test("whatever the credit and however it is granted, every entry comes once in its place", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant("ask"), fc.constant("say")), { maxLength: 30 }),
      async (steps) => {
        const daemon = new FakeDaemon();
        const session = daemon.addSession({ id: "s" });
        const client = await RawClient.connect(daemon);
        await client.call("load_session", {
          sessionId: "s",
          token: "t",
          inbox: true,
          credit: { events: 1, bytes: 200 },
        });
        for (const step of steps) {
          if (step === "ask") void session.askPermission(permission);
          else if (step === "say") session.notify({ type: "n" });
          else {
            const params = { sessionId: "s", events: step, bytes: step * 100 };
            client.send({ type: "notification", method: "daemon.grant_credit", params });
          }
          if (step === 0) await client.call("ping");
        }
        const params = { sessionId: "s", events: 100, bytes: 100_000 };
        client.send({ type: "notification", method: "daemon.grant_credit", params });
        await client.call("ping");
        const inPlace = entriesOf(client).filter((frame) => !placeOf(frame)?.early);
        expect(seqsOf(inPlace)).toEqual(Array.from(inPlace, (_, index) => index + 1));
        expect(inPlace).toHaveLength(session.journal.position.seq);
        const early = entriesOf(client).filter((frame) => placeOf(frame)?.early);
        expect(new Set(seqsOf(early)).size).toBe(early.length);
      },
    ),
    { numRuns: 60 },
  );
});
