import { createEnvelope, encodeFrame } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../../src/server.js";
import { DaemonClock } from "../daemon-clock.js";
import { RelayDaemon, sendOf } from "../relay-daemon.js";

describe("bounds", () => {
  test("a burst of 5000 is delivered, every one", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    alice.write(...Array.from({ length: 5_000 }, (_, index) => sendOf("Bob", `m${index}`)));
    await bob.next("DELIVER", 5_000);
    expect(bob.bodies()).toEqual(Array.from({ length: 5_000 }, (_, index) => `m${index}`));
    expect(alice.all("BUSY")).toEqual([]);
  });

  test("past the rate limit each refused message is named in a BUSY, and the others are delivered", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({
      now: () => clock.now(),
      limits: { relaySendsPerSecond: 100, relaySendBurst: 1_000 },
    });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const sends = Array.from({ length: 5_000 }, (_, index) => sendOf("Bob", `m${index}`));
    alice.write(...sends);
    await alice.next("BUSY", 4_000);
    await bob.next("DELIVER", 1_000);
    expect(alice.all("BUSY").map(({ payload }) => payload.ref_id)).toEqual(sends.slice(1_000).map(({ id }) => id));
    expect(alice.all("BUSY")[0]?.payload).toMatchObject({ retry_after_ms: 10, queue_depth: 0 });
    clock.pass(1_000);
    alice.write(...sends.slice(0, 101));
    await alice.next("BUSY", 4_001);
    await bob.next("DELIVER", 1_100);
  });

  test("a full mailbox is answered with BUSY, and takes messages again once it was emptied", async () => {
    await using daemon = await RelayDaemon.start({ limits: { mailboxEntries: 3 } });
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Bob")).leave();
    const ids = ["m1", "m2", "m3", "m4", "m5"].map((body) => alice.send("Bob", body));
    await alice.next("BUSY", 2);
    expect(alice.all("BUSY").map(({ payload }) => payload.ref_id)).toEqual(ids.slice(3));
    expect(alice.all("BUSY")[0]?.payload).toMatchObject({ retry_after_ms: 1_000, queue_depth: 3 });
    const bob = await daemon.connect("Bob");
    await bob.next("DELIVER", 3);
    await bob.settled();
    alice.send("Bob", "m6");
    await bob.next("DELIVER", 4);
    expect(bob.all("DELIVER").map(({ delivery }) => delivery?.seq)).toEqual([1, 2, 3, 4]);
  });

  test("bytes of a mailbox are bounded, too", async () => {
    await using daemon = await RelayDaemon.start({ limits: { mailboxBytes: 100_000 } });
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Bob")).leave();
    for (let index = 0; index < 4; index++) alice.send("Bob", "x".repeat(40_000));
    expect((await alice.next("BUSY")).payload.queue_depth).toBe(3);
  });

  test("a SEND of 1 MiB, whose DELIVER would not fit, is refused to its sender and to nobody else", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const empty = encodeFrame(sendOf("Bob", "")).length - 4;
    const id = alice.send("Bob", "x".repeat(1_048_576 - empty));
    const { payload } = await alice.next("ERROR");
    expect(payload).toMatchObject({ code: "BAD_REQUEST", fatal: false, ref_id: id });
    expect(payload.message).toContain(id);
    alice.send("Bob", "x".repeat(1_048_576 - empty - 200));
    const delivered = await bob.next("DELIVER");
    expect(delivered.delivery?.seq).toBe(1);
    expect(bob.isEnded).toBe(false);
  });

  test("what does not fit because of its bytes, not its characters, is refused as well", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const empty = encodeFrame(sendOf("Bob", "")).length - 4;
    alice.send("Bob", "€".repeat(Math.floor((1_048_576 - empty) / 3)));
    expect((await alice.next("ERROR")).payload.code).toBe("BAD_REQUEST");
    await bob.settled();
    expect(bob.bodies()).toEqual([]);
  });

  test("a reader that stops reading costs nobody: it gets the rest from the store, in order", async () => {
    await using daemon = await RelayDaemon.start({ limits: { connectionBufferBytes: 1_200_000 } });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const carol = await daemon.connect("Carol");
    bob.socket.pause();
    const bodies = Array.from({ length: 600 }, (_, index) => `${index}:`.padEnd(10_000, "x"));
    alice.write(...bodies.map((body) => sendOf("Bob", body)));
    await alice.settled();
    alice.send("Carol", "not held up");
    await carol.next("DELIVER");
    bob.socket.resume();
    await bob.next("DELIVER", 600);
    expect(bob.bodies()).toEqual(bodies);
    expect(alice.all("BUSY")).toEqual([]);
  });
});

describe("all mailboxes together", () => {
  const MIB = 1024 * 1024;

  test("hold no more than their bound, and one that fills many leaves room in others", async () => {
    await using daemon = await RelayDaemon.start({ limits: { mailboxTotalBytes: 4 * MIB } });
    const names = Array.from({ length: 12 }, (_, index) => `away-${index}`);
    for (const name of names) await (await daemon.connect(name)).leave();
    const flooder = await daemon.connect("Flooder");
    for (const name of names) flooder.write(...Array.from({ length: 10 }, () => sendOf(name, "x".repeat(100_000))));
    await flooder.settled();
    // A twelfth of 4 MiB in ten pieces each, less what was refused.
    const taken = 120 - flooder.all("BUSY").length;
    expect(taken * 100_000).toBeLessThan(4 * MIB);
    expect(taken).toBeGreaterThan(20);
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Bob")).leave();
    alice.send("Bob", "x".repeat(50_000));
    await alice.settled();
    expect(alice.all("BUSY")).toEqual([]);
    const away = await daemon.connect("away-0");
    await away.next("DELIVER");
  });

  test.each([
    ["in memory", () => new MemoryStore()],
    ["on disk", () => undefined],
  ])("keep a bounded history %s: old messages that were acknowledged are dropped, no others", async (_, storeOf) => {
    await using daemon = await RelayDaemon.start({ store: storeOf(), limits: { mailboxHistoryBytes: 1_600_000 } });
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Bob")).leave();
    alice.send("Bob", "waits");
    const carol = await daemon.connect("Carol");
    for (let index = 0; index < 40; index++) {
      alice.send("Carol", `${index} ${"x".repeat(100_000)}`);
      await carol.next("DELIVER", index + 1);
      await carol.settled();
    }
    const known = async (): Promise<string[]> => {
      const query = createEnvelope("MESSAGES_QUERY", { order: "asc", limit: 3 });
      alice.write(query);
      await alice.when(() => alice.all("MESSAGES_RESPONSE").some(({ id }) => id === query.id));
      const answer = alice.all("MESSAGES_RESPONSE").find(({ id }) => id === query.id);
      return answer?.payload.messages.map(({ body }: { body: string }) => body.slice(0, 5));
    };
    while ((await known()).includes("19 xx") || (await known())[1]?.startsWith("0 ")) await carol.settled();
    expect((await known())[0]).toBe("waits");
    expect((await (await daemon.connect("Bob")).next("DELIVER")).payload.body).toBe("waits");
  });
});

describe("what others could not get", () => {
  test("is refused to the one who sends it: an answer, a join and a leave near the size of a frame", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("A".repeat(120));
    const bob = await daemon.connect("Bob");
    bob.write(createEnvelope("CHANNEL_JOIN", { channel: "#dev" }));
    await bob.settled();
    const large = "x".repeat(1_048_576 - 200);
    for (const type of ["CHANNEL_JOIN", "CHANNEL_LEAVE"] as const) {
      const request = createEnvelope(type, { channel: "#dev", reason: large });
      alice.write(request);
      await alice.when(() => alice.all("ERROR").some(({ payload }) => payload.ref_id === request.id));
    }
    bob.send("A".repeat(120), "well?", { payload_meta: { sync: { correlationId: "c", blocking: true } } });
    const asked = await alice.next("DELIVER");
    alice.ack(asked, { correlationId: "c", response: "OK", responseData: "x".repeat(1_048_576 - 260) });
    await alice.when(() => alice.all("ERROR").some(({ payload }) => payload.ref_id === asked.id));
    alice.ack(asked, { correlationId: "c", response: "OK" });
    expect((await bob.next("ACK")).payload.response).toBe("OK");
    expect(bob.all("ERROR").filter(({ payload }) => payload.message !== "Unexpected HELLO")).toEqual([]);
  });
});

describe("a store that fails", () => {
  class FailingStore extends MemoryStore {
    isFailing = false;

    override async commit(writes: Parameters<MemoryStore["commit"]>[0]): Promise<void> {
      if (this.isFailing) throw new RangeError("the disk is full");
      await super.commit(writes);
    }
  }

  test("or a daemon that dies before it stored where a mailbox stands, loses no message and no number", async () => {
    class ForgetfulStore extends MemoryStore {
      override async commit(writes: Parameters<MemoryStore["commit"]>[0]): Promise<void> {
        await super.commit(writes.filter(({ kind }) => kind !== "mailboxState" && kind !== "mailboxStream"));
      }
    }
    const store = new ForgetfulStore();
    const first = await RelayDaemon.start({ store });
    const alice = await first.connect("Alice");
    await (await first.connect("Bob")).leave();
    for (const [body, topic] of [["m1"], ["m2", "t"], ["m3"]]) alice.send("Bob", body ?? "", { topic });
    await alice.settled();
    await first[Symbol.asyncDispose]();
    await using second = await RelayDaemon.start({ store });
    const bob = await second.connect("Bob");
    await bob.next("DELIVER", 3);
    (await second.connect("Alice")).send("Bob", "m4");
    await bob.next("DELIVER", 4);
    expect(bob.all("DELIVER").map(({ payload, delivery }) => [payload.body, delivery?.seq])).toEqual([
      ["m1", 1],
      ["m2", 1],
      ["m3", 2],
      ["m4", 3],
    ]);
  });

  test("is told to the sender by name, delivers nothing, and uses up no number", async () => {
    const store = new FailingStore();
    await using daemon = await RelayDaemon.start({ store });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    store.isFailing = true;
    const id = alice.send("Bob", "lost");
    expect((await alice.next("ERROR")).payload).toMatchObject({ code: "INTERNAL", fatal: false, ref_id: id });
    store.isFailing = false;
    alice.send("Bob", "kept");
    const delivered = await bob.next("DELIVER");
    expect([delivered.payload.body, delivered.delivery?.seq]).toEqual(["kept", 1]);
  });
});
