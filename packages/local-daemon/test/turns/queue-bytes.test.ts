import { newId, silentLogger } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { keyIdOf } from "../../src/access/key-id.js";
import { KeyPolicies } from "../../src/access/key-policy.js";
import { recover } from "../../src/sessions/recovery.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { QueueRoom } from "../../src/turns/queue-room.js";
import { Harness, KEYS, type TestClient } from "../sessions/harness.js";

const BYTES = 100_000;
const text = (name: string) => `${name} ${"x".repeat(BYTES)}`;

async function send(client: TestClient, id: string, session = "s-1") {
  const { error } = await client.call("add_user_message", { sessionId: session, text: text(id), messageId: id });
  return error;
}

test("bytes that wait are bounded for each session and each principal, and refused by name and number", async () => {
  const limits = { queuedBytes: 3 * BYTES, queuedBytesPerPrincipal: 4 * BYTES };
  await using harness = await Harness.start({ limits });
  const person = await harness.connect();
  const key = harness.dial();
  await key.authenticate({ apiKey: KEYS[0] });
  for (const id of ["s-1", "s-2"]) await person.createSession(id);
  const theirs = newId();
  await key.createSession(theirs);
  // The first one of each session goes to its agent at once.
  for (const id of ["s-1", "s-2"]) {
    await send(person, `${id}-0`, id);
    await (await harness.spawner.agentOf(id)).prompted(1);
  }
  expect(await send(person, "a")).toBeUndefined();
  expect(await send(person, "b")).toBeUndefined();
  const ofSession = await send(person, "c");
  expect(ofSession).toMatchObject({ data: { code: "QUEUE_FULL", retryable: true } });
  expect(ofSession?.message).toMatch(/bytes wait in this session, .*300000 may wait \(queuedBytes\)/);
  expect(await send(person, "d", "s-2")).toBeUndefined();
  const ofPerson = await send(person, "e", "s-2");
  expect(ofPerson?.message).toMatch(/in the sessions of this user, .*400000 may wait \(queuedBytesPerPrincipal\)/);
  // Nobody else is affected, and a refused id may be sent again.
  await send(key, "k-0", theirs);
  await (await harness.spawner.agentOf(theirs)).prompted(1);
  expect(await send(key, "k-a", theirs)).toBeUndefined();
  await person.result("interrupt_session", { sessionId: "s-1" });
  await person.turnEnd("b");
  expect(await send(person, "c")).toBeUndefined();
});

test("what waits is read from the store when its turn comes: whole, in order, also after a restart", async () => {
  const store = new MemoryStore();
  const first = await Harness.start({ store });
  const client = await first.connect();
  await client.createSession("s-1");
  for (const id of ["m-0", "m-1", "m-2"]) await send(client, id);
  await (await first.spawner.agentOf("s-1")).prompted(1);
  const session = first.host.find("s-1");
  // Neither the row nor the queue has the text.
  expect(JSON.stringify(session?.turns.waiting.map(({ row }) => row)).length).toBeLessThan(1_000);
  expect(JSON.stringify(await store.openTurns()).length).toBeLessThan(2_000);
  const { queuedMessages } = await client.loadSession("s-1");
  expect(queuedMessages).toMatchObject([{ text: text("m-1") }, { text: text("m-2") }]);

  await using harness = await Harness.start({ store });
  const { waiting } = await recover(harness.host, silentLogger);
  for (const { turns } of waiting) turns.release();
  const agent = await harness.spawner.agentOf("s-1");
  for (const [at, id] of ["m-1", "m-2"].entries()) {
    await agent.prompted(at + 1);
    expect(agent.prompts[at]).toMatchObject({ text: text(id) });
    agent.end();
  }
});

test("a message that would wait alone may be of any size", () => {
  const room = new QueueRoom({ queuedTurns: 2, queuedBytes: 10, queuedBytesPerPrincipal: 10 });
  const queued = { sessionId: "s" as never, owner: undefined, turns: 0, bytes: 0 };
  room.check(queued, 1_000);
  room.add(queued, 1_000);
  expect(() => room.check(queued, 1)).toThrow(/queuedBytes/);
  room.remove(queued, 1_000);
  room.check(queued, 5);
});

test("a quota of a key takes the place of the bound of every key", () => {
  const key = "a-key-with-a-quota-0";
  const policies = new KeyPolicies([{ key, quotas: { queuedBytes: 20 } }]);
  const room = new QueueRoom({ queuedTurns: 9, queuedBytes: 100, queuedBytesPerPrincipal: 10 }, policies);
  const of = (owner: string | undefined) => ({ sessionId: "s" as never, owner, turns: 0, bytes: 0 });
  const [mine, another] = [of(keyIdOf(key)), of(undefined)];
  for (const queued of [mine, another]) room.add(queued, 8);
  room.check(mine, 12);
  expect(() => room.check(mine, 13)).toThrow(/20 may wait \(quotas\.queuedBytes\)/);
  expect(() => room.check(another, 12)).toThrow(/10 may wait \(queuedBytesPerPrincipal\)/);
});
