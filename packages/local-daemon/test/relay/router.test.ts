import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { query, RelayDaemon, type Seen, sendOf } from "./relay-daemon.js";

describe("direct messages", () => {
  test("reach the named agent with the sender's name, its payload and its meta, numbered from 1", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const meta = { importance: 80, requires_ack: false };
    const payload = { kind: "action", body: "hi", data: { a: 1 }, thread: "t" };
    alice.write(createEnvelope("SEND", payload, { to: "Bob", payload_meta: meta }));
    alice.send("Bob", "again");
    const first = await bob.next("DELIVER");
    const second = await bob.next("DELIVER", 2);
    expect(first).toMatchObject({ v: 1, from: "Alice", to: "Bob", payload_meta: meta, delivery: { seq: 1 } });
    expect(first.payload).toEqual(payload);
    expect(first.delivery?.session_id).toBe((await bob.next("WELCOME")).payload.session_id);
    expect(first.delivery).not.toHaveProperty("originalTo");
    expect(second.delivery?.seq).toBe(2);
  });

  test("come from who sent them, whatever they say", async () => {
    await using daemon = await RelayDaemon.start();
    const mallory = await daemon.connect("Mallory");
    const bob = await daemon.connect("Bob");
    const id = mallory.send("Bob", "hi", { from: "Alice" });
    const delivered = await bob.next("DELIVER");
    expect(delivered.from).toBe("Mallory");
    expect(delivered.id).not.toBe(id);
    mallory.write(
      createEnvelope("SEND", { kind: "message", body: "", data: { _crossMachine: true } }, { to: "Bob", from: "X" }),
    );
    expect((await bob.next("DELIVER", 2)).from).toBe("Mallory");
  });

  test("to a name that is overlong are refused by id, and the name is not sent back as a whole", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const id = alice.send("n".repeat(100_000), "x");
    const { payload } = await alice.next("ERROR");
    expect(payload).toMatchObject({ code: "NOT_FOUND", fatal: false, ref_id: id });
    expect(payload.message.length).toBeLessThan(1_000);
    expect(payload.message).toContain(id);
  });

  test.each([[{ a: [1, null] }], [["x", 2]], [7], [false], [null], [""]])(
    "carry any JSON as their body: %j",
    async (body) => {
      await using daemon = await RelayDaemon.start();
      const alice = await daemon.connect("Alice");
      const bob = await daemon.connect("Bob");
      alice.write(createEnvelope("SEND", { kind: "message", body }, { to: "Bob" }));
      expect((await bob.next("DELIVER")).payload.body).toEqual(body);
      alice.write(createEnvelope("CHANNEL_MESSAGE", { channel: "#general", body }));
      expect((await bob.next("CHANNEL_MESSAGE")).payload.body).toEqual(body);
      const [post, message] = (await query(bob, "MESSAGES_QUERY", {})).payload.messages;
      expect([message.body, post?.body ?? body]).toEqual([body, body]);
    },
  );

  test("are acknowledged by their id alone, and an ACK that names nothing is refused", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    alice.isAcking = false;
    alice.send("Alice", "note");
    const { id } = await alice.next("DELIVER");
    const empty = createEnvelope("ACK", { seq: 1 });
    alice.write(createEnvelope("ACK", { ack_id: id }), empty);
    expect((await alice.next("ERROR")).payload).toMatchObject({ code: "BAD_REQUEST", ref_id: empty.id });
    expect((await query(alice, "INBOX", { unreadOnly: true })).payload.messages).toEqual([]);
  });

  test("without a body are refused by name", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bare = { ...sendOf("Alice", ""), payload: { kind: "message" } };
    alice.write(bare);
    expect((await alice.next("ERROR")).payload).toMatchObject({ code: "BAD_REQUEST", ref_id: bare.id });
  });

  test("may say null for what is absent, but for their data and their body", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.dial();
    const absent = { session: null, cli: null, capabilities: { ack: true, receipts: null } };
    alice.write({
      ...createEnvelope("HELLO", { agent: "Alice", ...absent } as never),
      from: null,
      topic: null,
    } as never);
    await alice.next("WELCOME");
    const payload = { kind: "message", body: null, data: { kept: null }, thread: null };
    const meta = { importance: null, sync: null };
    alice.write({ ...sendOf("Alice", ""), payload, topic: null, payload_meta: meta, delivery: null } as never);
    const deliver = await alice.next("DELIVER");
    expect(deliver.payload).toEqual({ kind: "message", body: null, data: { kept: null } });
    expect(deliver).not.toHaveProperty("topic");
    expect(deliver.payload_meta).toEqual({});
  });

  test("reach oneself", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    alice.send("Alice", "note");
    expect((await alice.next("DELIVER")).from).toBe("Alice");
  });

  test("are numbered for each topic and sender, and keep odd text as it was", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const carol = await daemon.connect("Carol");
    const bob = await daemon.connect("Bob");
    const odd = 'quote " back \\ "session_id":"x" \u2028 😀 \u0000';
    alice.send("Bob", odd);
    alice.send("Bob", "2", { topic: "t" });
    alice.send("Bob", "3", { topic: "t" });
    await bob.next("DELIVER", 3);
    carol.send("Bob", "4");
    await bob.next("DELIVER", 4);
    expect(bob.bodies()[0]).toBe(odd);
    expect(bob.all("DELIVER").map(({ delivery }) => delivery?.seq)).toEqual([1, 1, 2, 1]);
    expect(bob.all("DELIVER").map(({ topic }) => topic)).toEqual([undefined, "t", "t", undefined]);
  });

  test("without a recipient are refused by name", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const send = createEnvelope("SEND", { kind: "message", body: "hi" });
    alice.write(send);
    expect((await alice.next("ERROR")).payload).toMatchObject({ code: "BAD_REQUEST", ref_id: send.id });
  });

  test("from several senders keep each sender's order", async () => {
    await using daemon = await RelayDaemon.start();
    const bob = await daemon.connect("Bob");
    const names = ["A", "B", "C"];
    const senders = await Promise.all(names.map((name) => daemon.connect(name)));
    for (let index = 0; index < 50; index++) for (const sender of senders) sender.send("Bob", String(index));
    await bob.next("DELIVER", 150);
    for (const name of names) {
      const own = bob.all("DELIVER").filter(({ from }) => from === name);
      expect(own.map(({ payload }) => Number(payload.body))).toEqual(Array.from({ length: 50 }, (_, index) => index));
      expect(own.map(({ delivery }) => delivery?.seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    }
  });
});

describe("messages to many", () => {
  test("`*` reaches everybody else, each with an id of its own", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const others = [
      await daemon.connect("Bob"),
      await daemon.connect("Carol"),
      await daemon.connect("Uma", { entityType: "user" }),
    ];
    alice.send("*", "all");
    const delivered = await Promise.all(others.map((peer) => peer.next("DELIVER")));
    expect(delivered.map(({ to }) => to)).toEqual(["Bob", "Carol", "Uma"]);
    expect(delivered.map(({ delivery }) => delivery?.originalTo)).toEqual(["*", "*", "*"]);
    expect(new Set(delivered.map(({ id }) => id)).size).toBe(3);
    await alice.settled();
    expect(alice.bodies()).toEqual([]);
  });

  test("`@users` reaches the users only, and not the sender", async () => {
    await using daemon = await RelayDaemon.start();
    const uma = await daemon.connect("Uma", { entityType: "user" });
    const ben = await daemon.connect("Ben", { entityType: "user" });
    const bob = await daemon.connect("Bob");
    uma.send("@users", "hi");
    expect((await ben.next("DELIVER")).delivery?.originalTo).toBe("@users");
    await Promise.all([bob.settled(), uma.settled()]);
    expect([...bob.bodies(), ...uma.bodies()]).toEqual([]);
  });

  test("a topic reaches its subscribers, exactly, also those who are away for a moment", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const carol = await daemon.connect("Carol");
    bob.write(createEnvelope("SUBSCRIBE", {}, { topic: "news" }));
    carol.write(createEnvelope("SUBSCRIBE", {}, { topic: "News" }));
    alice.write(createEnvelope("SUBSCRIBE", {}, { topic: "news" }));
    await Promise.all([bob.settled(), carol.settled(), alice.settled()]);
    alice.send("*", "one", { topic: "news" });
    const first = await bob.next("DELIVER");
    expect(first).toMatchObject({ topic: "news", delivery: { originalTo: "*", seq: 1 } });
    await bob.cut();
    alice.send("*", "two", { topic: "news" });
    await alice.settled();
    const again = await daemon.connect("Bob");
    await again.when(() => again.bodies().includes("two"));
    again.write(createEnvelope("UNSUBSCRIBE", {}, { topic: "news" }));
    await again.settled();
    alice.send("*", "three", { topic: "news" });
    await alice.settled();
    await Promise.all([again.settled(), carol.settled()]);
    expect([...again.bodies(), ...carol.bodies(), ...alice.bodies()]).not.toContain("three");
    expect(carol.bodies()).toEqual([]);
  });

  test("BYE ends a subscription", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.write(createEnvelope("SUBSCRIBE", {}, { topic: "news" }));
    await bob.settled();
    await bob.leave();
    alice.send("*", "one", { topic: "news" });
    await alice.settled();
    const again = await daemon.connect("Bob");
    await again.settled();
    expect(again.bodies()).toEqual([]);
  });
});

describe("a blocking SEND", () => {
  const sync = (correlationId: string, timeoutMs?: number) => ({
    payload_meta: { sync: { blocking: true, correlationId, ...(timeoutMs === undefined ? {} : { timeoutMs }) } },
  });

  test("gets its addressee's ACK, from nobody else, once", async () => {
    await using daemon = await RelayDaemon.start();
    const [alice, bob, mallory] = [
      await daemon.connect("Alice"),
      await daemon.connect("Bob"),
      await daemon.connect("Mallory"),
    ];
    alice.send("Bob", "question", sync("c-1"));
    const delivered = await bob.next("DELIVER");
    expect(delivered.payload_meta).toEqual(sync("c-1").payload_meta);
    const answer = { correlationId: "c-1", response: "OK", responseData: { n: 1 } };
    mallory.ack(delivered, { ...answer, response: "ERROR" });
    await mallory.settled();
    bob.ack(delivered, answer);
    bob.ack(delivered, answer);
    const ack = await alice.next("ACK");
    expect(ack).toMatchObject({ from: "Bob", to: "Alice" });
    expect(ack.payload).toEqual({ ack_id: delivered.id, seq: 1, ...answer });
    await bob.settled();
    await alice.settled();
    expect(alice.all("ACK")).toHaveLength(1);
  });

  test("takes an ACK without anything but the correlation id, which acknowledges the message, too", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.isAcking = false;
    alice.send("Bob", "question", sync("c-1"));
    await bob.next("DELIVER");
    bob.write(createEnvelope("ACK", { correlationId: "c-1", response: "OK" }));
    expect((await alice.next("ACK")).payload).toEqual({ correlationId: "c-1", response: "OK" });
    const unread = async () => (await query(bob, "INBOX", { unreadOnly: true })).payload.messages;
    expect(await unread()).toEqual([]);
  });

  test("is acknowledged by a late answer without anything but the correlation id", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.isAcking = false;
    alice.send("Bob", "question", sync("c-1", 1));
    await bob.next("DELIVER");
    await alice.next("ERROR");
    bob.write(createEnvelope("ACK", { correlationId: "c-1", response: "OK" }));
    expect((await query(bob, "INBOX", { unreadOnly: true })).payload.messages).toEqual([]);
  });

  test.each([true, "OK"])("carries the response %j as it was given: clients send either", async (response) => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    alice.send("Bob", "question", sync("c-1"));
    bob.ack(await bob.next("DELIVER"), { correlationId: "c-1", response });
    expect((await alice.next("ACK")).payload.response).toBe(response);
  });

  test("without an answer ends in an ERROR after its time", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    await daemon.connect("Bob");
    const id = alice.send("Bob", "question", sync("c-1", 30));
    const { payload } = await alice.next("ERROR");
    expect(payload).toEqual({
      code: "INTERNAL",
      message: "ACK timeout after 30ms",
      fatal: false,
      ref_id: id,
      replyTo: id,
    });
  });

  test("without a correlation id, or with one that is in use, is refused and not delivered", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const ids = [
      alice.send("Bob", "x", { payload_meta: { sync: { blocking: true } } }),
      alice.send("Bob", "first", sync("c-1")),
      alice.send("Bob", "second", sync("c-1")),
    ];
    await alice.next("ERROR", 2);
    expect(alice.all("ERROR").map(({ payload }) => payload)).toEqual([
      {
        code: "INTERNAL",
        message: "Missing sync correlationId for blocking SEND",
        fatal: false,
        ref_id: ids[0],
        replyTo: ids[0],
      },
      { code: "INTERNAL", message: "Duplicate correlationId: c-1", fatal: false, ref_id: ids[2], replyTo: ids[2] },
    ]);
    await bob.settled();
    expect(bob.bodies()).toEqual(["first"]);
  });

  test("to somebody unknown fails at once, and its id is free again", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    alice.send("Nobody", "x", sync("c-1"));
    alice.send("*", "x", { topic: "nobody's", ...sync("c-1") });
    alice.send("Bob", "too large".padEnd(1_048_300, "x"), sync("c-1"));
    await alice.next("ERROR", 3);
    expect(alice.all("ERROR").map(({ payload }) => payload.code)).toEqual(["NOT_FOUND", "NOT_FOUND", "BAD_REQUEST"]);
    alice.send("Bob", "question", sync("c-1"));
    bob.ack(await bob.next("DELIVER"), { correlationId: "c-1" });
    expect((await alice.next("ACK")).payload.correlationId).toBe("c-1");
  });
});

describe("receipts", () => {
  test("tell a client that asked for them what became of each SEND, and nobody else", async () => {
    await using daemon = await RelayDaemon.start({ limits: { mailboxEntries: 2 } });
    const alice = await daemon.connect("Alice", { capabilities: { receipts: true } });
    const bob = await daemon.connect("Bob");
    await (await daemon.connect("Carol")).leave();
    const sends = [
      sendOf("Bob", "1"),
      sendOf("Carol", "2"),
      sendOf("Nobody", "3"),
      sendOf("*", "4"),
      sendOf("Carol", "5"),
      sendOf("Carol", "6"),
    ];
    alice.write(...sends);
    await alice.next("RECEIPT", 6);
    const receipts = new Map(alice.all("RECEIPT").map(({ payload }) => [payload.ref_id, payload]));
    expect(sends.map(({ id }) => receipts.get(id)?.state)).toEqual([
      ...["delivered", "queued", "refused", "delivered", "queued", "refused"],
    ]);
    expect(receipts.get((sends[3] as Seen).id)?.to).toBe("*");
    expect(alice.all("BUSY").map(({ payload }) => payload.ref_id)).toEqual([sends[5]?.id]);
    bob.send("Alice", "no receipt for me");
    await bob.settled();
    expect(bob.all("RECEIPT")).toEqual([]);
  });
});
