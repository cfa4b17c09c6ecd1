import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../../src/server.js";
import { type RawPeer, RelayDaemon } from "../relay-daemon.js";

const join = (channel: string, more: object = {}) => createEnvelope("CHANNEL_JOIN", { channel, ...more });
const leave = (channel: string, more: object = {}) => createEnvelope("CHANNEL_LEAVE", { channel, ...more });
const post = (channel: string, body: string, more: object = {}) =>
  createEnvelope("CHANNEL_MESSAGE", { channel, body, ...more });

function posts(peer: RawPeer): [string | undefined, string, string][] {
  return peer.all("CHANNEL_MESSAGE").map(({ from, payload }) => [from, payload.channel, payload.body]);
}

describe("#general", () => {
  test("everybody is in it from HELLO on, without being told", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const user = await daemon.connect("Una", { entityType: "user" });
    alice.write(post("#general", "hello"));
    await Promise.all([bob, user].map((peer) => peer.next("CHANNEL_MESSAGE")));
    expect(posts(bob)).toEqual([["Alice", "#general", "hello"]]);
    expect(posts(user)).toEqual([["Alice", "#general", "hello"]]);
    await alice.settled();
    expect(posts(alice)).toEqual([]);
    expect([alice, bob, user].flatMap((peer) => peer.all("CHANNEL_JOIN"))).toEqual([]);
  });

  test("somebody who comes back is in it again", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    await bob.cut();
    const again = await daemon.connect("Bob");
    alice.write(post("#general", "welcome back"));
    expect((await again.next("CHANNEL_MESSAGE")).payload.body).toBe("welcome back");
  });
});

describe("joining and leaving", () => {
  test("members hear of it with the joiner's name, and the joiner does not", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    alice.write(join("#dev"));
    await alice.settled();
    bob.write(join("#dev", { displayName: "B." }), join("#dev"), leave("#dev", { reason: "lunch" }), leave("#dev"));
    await bob.settled();
    const left = await alice.next("CHANNEL_LEAVE");
    const joined = await alice.next("CHANNEL_JOIN");
    expect(joined).toMatchObject({ v: 1, from: "Bob", payload: { channel: "#dev", displayName: "B." } });
    expect(joined).not.toHaveProperty("to");
    expect(joined).not.toHaveProperty("delivery");
    expect(left).toMatchObject({ from: "Bob", payload: { channel: "#dev", reason: "lunch" } });
    await alice.settled();
    expect([alice.all("CHANNEL_JOIN"), alice.all("CHANNEL_LEAVE")].map(({ length }) => length)).toEqual([1, 1]);
    expect([...bob.all("CHANNEL_JOIN"), ...bob.all("CHANNEL_LEAVE")]).toEqual([]);
  });

  test("others may be added and removed in silence, whether they are connected or not", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    alice.write(join("#dev"), join("#dev", { member: "bob" }), join("#dev", { member: "Later" }));
    alice.write(post("#dev", "1"));
    expect((await bob.next("CHANNEL_MESSAGE")).payload.body).toBe("1");
    const later = await daemon.connect("Later");
    alice.write(post("#dev", "2"));
    expect((await later.next("CHANNEL_MESSAGE")).payload.body).toBe("2");
    alice.write(leave("#dev", { member: "BOB" }), post("#dev", "3"));
    await later.next("CHANNEL_MESSAGE", 2);
    await bob.settled();
    expect(posts(bob).map(([, , body]) => body)).toEqual(["1", "2"]);
    expect([...alice.all("CHANNEL_JOIN"), ...bob.all("CHANNEL_JOIN"), ...bob.all("CHANNEL_LEAVE")]).toEqual([]);
  });

  test("a name that no channel can have is refused, and the refusal names the request", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const request = join("x".repeat(257));
    alice.write(request);
    expect((await alice.next("ERROR")).payload).toMatchObject({
      code: "BAD_REQUEST",
      fatal: false,
      ref_id: request.id,
    });
  });
});

describe("posting", () => {
  test("reaches the other members only, with everything the message holds and the sender's true name", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const carol = await daemon.connect("Carol");
    for (const peer of [alice, bob]) peer.write(join("#dev"));
    await bob.settled();
    const more = { thread: "t", mentions: ["Bob"], data: { a: 1 } };
    const attachments = [{ id: "1", filename: "a", mimeType: "text/plain", data: "YQ==" }];
    const message = post("#dev", "hi", { ...more, attachments });
    alice.write({ ...message, from: "Mallory" });
    const heard = await bob.next("CHANNEL_MESSAGE");
    expect(heard).toMatchObject({ from: "Alice", payload: { channel: "#dev", body: "hi", ...more, attachments } });
    expect(heard.id).not.toBe(message.id);
    expect(heard).not.toHaveProperty("to");
    expect(heard).not.toHaveProperty("delivery");
    await carol.settled();
    expect(posts(carol)).toEqual([]);
  });

  test("by somebody who is no member is refused by name, and #dev is not dev", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    alice.write(join("#dev"));
    const message = post("dev", "hi");
    alice.write(message);
    const { payload } = await alice.next("ERROR");
    expect(payload).toMatchObject({ code: "BAD_REQUEST", fatal: false, ref_id: message.id });
    expect(payload.message).toContain(message.id);
  });

  test("a message that would not fit with the sender's name is refused to the sender, and the members stay", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("A".repeat(100));
    const bob = await daemon.connect("Bob");
    const empty = Buffer.byteLength(JSON.stringify(post("#general", "")));
    const message = post("#general", "x".repeat(1024 * 1024 - empty));
    alice.write(message, post("#general", "small"));
    expect((await alice.next("ERROR")).payload).toMatchObject({
      code: "BAD_REQUEST",
      fatal: false,
      ref_id: message.id,
    });
    expect((await bob.next("CHANNEL_MESSAGE")).payload.body).toBe("small");
  });

  test("is kept for queries under the channel's name", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    await daemon.connect("Bob");
    alice.write(post("#general", "minutes", { thread: "t", mentions: ["Bob"] }));
    alice.write(createEnvelope("INBOX", { channel: "#general" }, { id: "q-1" }));
    const { id, payload } = await alice.next("INBOX_RESPONSE");
    expect(id).toBe("q-1");
    expect(payload.messages).toEqual([
      {
        id: expect.any(String),
        from: "Alice",
        body: "minutes",
        channel: "#general",
        thread: "t",
        timestamp: expect.any(Number),
      },
    ]);
  });
});

describe("membership", () => {
  test("stays with the name over a lost connection, a BYE and a restart of the daemon", async () => {
    const store = new MemoryStore();
    {
      await using daemon = await RelayDaemon.start({ store });
      const alice = await daemon.connect("Alice");
      const bob = await daemon.connect("Bob");
      for (const peer of [alice, bob]) peer.write(join("#dev"), join("#ops"));
      bob.write(leave("#ops"));
      await bob.settled();
      await alice.cut();
      bob.write(createEnvelope("BYE", {}));
      await bob.ended();
      const again = await daemon.connect("Alice");
      const bobAgain = await daemon.connect("Bob");
      bobAgain.write(post("#dev", "1"));
      expect((await again.next("CHANNEL_MESSAGE")).payload.body).toBe("1");
    }
    await using daemon = await RelayDaemon.start({ store });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    alice.write(post("#ops", "0"), post("#dev", "2"));
    expect((await bob.next("CHANNEL_MESSAGE")).payload.body).toBe("2");
  });

  test("stays with the name when a newcomer takes it", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    for (const peer of [alice, bob]) peer.write(join("#dev"));
    await bob.settled();
    const newcomer = await daemon.connect("Bob");
    await bob.ended();
    alice.write(post("#dev", "for the newcomer"));
    expect((await newcomer.next("CHANNEL_MESSAGE")).payload.body).toBe("for the newcomer");
  });
});

test("a post in a channel that is named like an agent loses none of the agent's messages", async () => {
  await using daemon = await RelayDaemon.start();
  const alice = await daemon.connect("Alice");
  await (await daemon.connect("dev")).leave();
  alice.send("dev", "kept");
  await alice.settled();
  alice.write(createEnvelope("CHANNEL_JOIN", { channel: "dev" }));
  alice.write(createEnvelope("CHANNEL_MESSAGE", { channel: "dev", body: "x" }));
  await alice.settled();
  const dev = await daemon.connect("dev");
  alice.send("dev", "last");
  await dev.when(() => dev.bodies().includes("last"));
  expect(dev.bodies()).toEqual(["kept", "last"]);
});
