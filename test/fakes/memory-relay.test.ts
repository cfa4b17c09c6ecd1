import { RelayClient, type RelayMessage } from "@daemon-sdk/client/relay";
import { MemoryRelay } from "@daemon-sdk/testing";
import { expect, test } from "vitest";

/** The next message of a client, acknowledged by asking for the one after it. */
async function nextOf(messages: AsyncIterator<RelayMessage>): Promise<RelayMessage> {
  const { value, done } = await messages.next();
  if (done) throw new TypeError("The messages ended");
  return value as RelayMessage;
}

async function joined(relay: MemoryRelay, agentName: string) {
  const client = new RelayClient({ agentName, dial: relay.dial });
  await client.connect();
  return { client, messages: client.messages()[Symbol.asyncIterator]() };
}

test("two clients talk over the memory relay, with receipts", async () => {
  const relay = new MemoryRelay();
  const [ada, bob] = [await joined(relay, "Ada"), await joined(relay, "Bob")];
  expect(relay.connected).toEqual(["Ada", "Bob"]);
  expect(await ada.client.send("Bob", "hello")).toMatchObject({ state: "delivered" });
  expect(await nextOf(bob.messages)).toMatchObject({ from: "Ada", body: "hello" });
  expect(relay.expectMessage("Ada", "Bob", /hel/)).toMatchObject({ kind: "message", body: "hello" });
  expect(() => relay.expectMessage("Bob", "Ada")).toThrow('1. Ada to Bob: "hello"');
  expect(await ada.client.send("Nobody", "hello")).toMatchObject({ state: "refused", code: "NOT_FOUND" });
  await Promise.all([ada.client.close(), bob.client.close()]);
  expect(relay.connected).toEqual([]);
});

test("what was not acknowledged waits for a name that was cut, and comes once to its consumer", async () => {
  const relay = new MemoryRelay();
  const bob = await joined(relay, "Bob");
  relay.send("test", "Bob", "one");
  expect((await nextOf(bob.messages)).body).toBe("one");
  relay.cut("Bob");
  relay.send("test", "Bob", "two");
  relay.redeliver();
  expect((await nextOf(bob.messages)).body).toBe("two");
  relay.redeliver("Bob");
  relay.send("test", "Bob", "three");
  expect((await nextOf(bob.messages)).body).toBe("three");
  await bob.client.close();
  expect(relay.waiting("Bob").map(({ payload }) => payload.body)).not.toContain("two");
});

test("a newcomer takes the name, and the old connection is told and does not come back", async () => {
  const relay = new MemoryRelay();
  const old = await joined(relay, "Bob");
  const ended = old.messages.next().then(
    () => undefined,
    (error: unknown) => error,
  );
  const next = await joined(relay, "Bob");
  await ended;
  expect(relay.connected).toEqual(["Bob"]);
  await Promise.all([old.client.close(), next.client.close()]);
});

test("an answer that is waited for reaches its sender", async () => {
  const relay = new MemoryRelay();
  const [ada, bob] = [await joined(relay, "Ada"), await joined(relay, "Bob")];
  const answered = ada.client.sendAndWait("Bob", "Are you there?");
  const question = await nextOf(bob.messages);
  expect(bob.client.answer(question, { response: "OK", responseData: "Here." })).toBe(true);
  expect(await answered).toMatchObject({ response: "OK", responseData: "Here." });
  const returned = ada.client.request("Bob", "And now?");
  await bob.client.respond(await nextOf(bob.messages), "Still here.");
  expect((await returned).body).toBe("Still here.");
  await Promise.all([ada.client.close(), bob.client.close()]);
});

test("a body may be any JSON, which its reader gets as a text and as it was sent", async () => {
  const relay = new MemoryRelay();
  const [ada, bob] = [await joined(relay, "Ada"), await joined(relay, "Bob")];
  const [asked, answered] = [{ question: [2, null] }, [4]];
  expect(await ada.client.send("Bob", asked)).toMatchObject({ state: "delivered" });
  const message = await nextOf(bob.messages);
  expect(message).toMatchObject({ body: JSON.stringify(asked), json: asked });
  await bob.client.respond(message, answered);
  expect(await nextOf(ada.messages)).toMatchObject({ body: "[4]", json: answered });
  relay.send("test", "Bob", "a text");
  const text = await nextOf(bob.messages);
  expect(text.body).toBe("a text");
  expect(text).not.toHaveProperty("json");
  await Promise.all([ada.client.close(), bob.client.close()]);
});
