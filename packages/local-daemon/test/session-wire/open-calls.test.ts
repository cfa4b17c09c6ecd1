import { messageId, sessionId } from "@daemon-sdk/protocol";
import { expect, test, vi } from "vitest";
import { SERVING_LIMITS } from "../../src/limits/index.js";
import { CallRoom } from "../../src/session-wire/call-room.js";
import { Harness, KEYS, type TestClient } from "../sessions/harness.js";

const { openCallUnitsPerKey: MOST, openCallOverhead: OVERHEAD } = SERVING_LIMITS;
const S = "5a000000-0000-4000-8000-00000000000a";

async function ofKey(harness: Harness, apiKey: string = KEYS[0]): Promise<TestClient> {
  const client = harness.dial();
  await client.authenticate({ apiKey });
  return client;
}

test("open calls of a principal hold so much and no more, whoever makes them; those of others have room", () => {
  const room = new CallRoom();
  room.enter("k", MOST / 2);
  room.enter("k", MOST / 2 - 2 * OVERHEAD);
  expect(() => room.enter("k", 1)).toThrowError(/4194304 may wait \(openCallUnitsPerKey\)/);
  room.enter("other", MOST / 2);
  room.enter(undefined, 10 * MOST);
  room.leave("k", MOST / 2);
  room.enter("k", 1);
});

test("a call that is alone may have any length", () => {
  const room = new CallRoom();
  room.enter("k", 5 * MOST);
  expect(() => room.enter("k", 1)).toThrowError(/openCallUnitsPerKey/);
  room.leave("k", 5 * MOST);
  room.enter("k", 1);
});

test("calls that wait are refused past the bound, on every connection of the key, and nobody else is", async () => {
  await using harness = await Harness.start();
  const [client, other] = [await ofKey(harness), await ofKey(harness)];
  await client.createSession(S);
  const { position: after } = await client.result("get_session_events", { sessionId: S });
  const pad = "x".repeat(200_000);
  const wait = (of: TestClient) => of.call("get_session_events", { sessionId: S, after, waitMs: 60_000, pad });
  const waiting = Array.from({ length: Math.floor(MOST / 202_000) }, () => wait(client));
  // On the same connection, so behind them.
  await client.result("ping", {});
  expect((await wait(other)).error).toMatchObject({
    code: -32603,
    message: expect.stringContaining(`${MOST} may wait (openCallUnitsPerKey)`),
    data: { code: "QUEUE_FULL" },
  });
  const person = await harness.connect();
  const personal = wait(person);
  await client.result("rename_session", { sessionId: S, title: "an entry" });
  for (const { error } of await Promise.all([...waiting, personal])) expect(error).toBeUndefined();
  expect((await other.call("get_session_events", { sessionId: S, after, pad })).error).toBeUndefined();
});

test("a call that an agent does not answer counts until it is", async () => {
  await using harness = await Harness.start();
  const client = await ofKey(harness);
  await client.createSession(S);
  const agent = await harness.spawner.agentOf(S);
  const answers: (() => void)[] = [];
  agent.call = () => new Promise((resolve) => void answers.push(() => resolve({ skills: [] })));
  const pad = "x".repeat(MOST * 0.45);
  const skills = () => client.call("list_skills", { sessionId: S, pad });
  const open = [skills(), skills()];
  await vi.waitUntil(() => answers.length === 2);
  expect((await skills()).error?.data).toMatchObject({ code: "QUEUE_FULL" });
  answers[0]?.();
  await open[0];
  const next = skills();
  await vi.waitUntil(() => answers.length === 3);
  for (const answer of answers) answer();
  for (const { error } of await Promise.all([...open, next])) expect(error).toBeUndefined();
});

test("commits of a turn that others wait for read no receipt, however many messages each call names", async () => {
  await using harness = await Harness.start();
  const client = await ofKey(harness);
  await client.createSession(S);
  await client.result("add_user_message", { sessionId: S, text: "Hi", messageId: "m-1" });
  const agent = await harness.spawner.agentOf(S);
  await agent.prompted(1);
  const read = vi.spyOn(harness.host.services.store, "readTurn");
  const messageIds = [...Array.from({ length: 99 }, (_none, index) => `never-${index}`), "m-1"];
  const waiting = client.call("get_receipts", { sessionId: S, messageIds, waitMs: 60_000 });
  await vi.waitUntil(() => read.mock.calls.length >= 99);
  read.mockClear();
  for (let commit = 0; commit < 20; commit += 1) {
    await client.result("rename_session", { sessionId: S, title: `title ${commit}` });
  }
  expect(read).not.toHaveBeenCalled();
  agent.end();
  const { receipts } = (await waiting).result as { receipts: { messageId: string; state: string }[] };
  expect(receipts.at(-1)).toMatchObject({ messageId: "m-1", state: "completed" });
  expect(await harness.host.services.store.readTurn(sessionId(S), messageId("m-1"))).toMatchObject({
    state: "completed",
  });
});
