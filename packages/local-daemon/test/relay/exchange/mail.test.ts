import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { SeededRandom } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { MemoryStore, SqliteStore } from "../../../src/server.js";
import { DaemonClock } from "../daemon-clock.js";
import { query, type RawPeer, RelayDaemon } from "../relay-daemon.js";
import { MailNetwork } from "./mail-network.js";

const RECEIPTS = { capabilities: { receipts: true } };

/** No heartbeat that these peers would have to answer. */
const QUIET = { relayHeartbeatMs: 10_000_000 };

/** Alice on machine `a`, and Bob on machine `b`. */
async function pair(network: MailNetwork, limits: object = {}) {
  const [a, b] = [
    await RelayDaemon.start({ limits: QUIET }),
    await RelayDaemon.start({ limits: { ...QUIET, ...limits } }),
  ];
  const [alice, bob] = [await a.connect("Alice", RECEIPTS), await b.connect("Bob")];
  network.join("a", a.exchange);
  network.join("b", b.exchange);
  return { a, b, alice, bob };
}

/** Lets time pass until the peer has so many messages. */
async function delivered(clock: DaemonClock, peer: RawPeer, count: number): Promise<void> {
  while (peer.all("DELIVER").length < count) {
    clock.pass(2_000);
    await peer.settled();
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `m${from + index}`);

describe("mail to a name on another machine", () => {
  test("is delivered there as its sender wrote it, once, and is dropped here when that is reported", async () => {
    const network = new MailNetwork();
    const { a, b, alice, bob } = await pair(network);
    alice.send("Bob", "hello", { topic: "news" });
    bob.send("Alice", "back");
    expect(await bob.next("DELIVER")).toMatchObject({ from: "Alice", to: "Bob", topic: "news", delivery: { seq: 1 } });
    expect((await alice.next("DELIVER")).payload.body).toBe("back");
    expect((await alice.next("RECEIPT")).payload.state).toBe("queued");
    await alice.settled();
    expect(network.accountOf("b", "a")).toMatchObject({ position: 1, refused: [] });
    expect(bob.bodies()).toEqual(["hello"]);
    expect(bob.all("DELIVER")[0]?.payload.data).toBeUndefined();
    await a[Symbol.asyncDispose]();
    await b[Symbol.asyncDispose]();
  });

  test("is found in the history of its sender, and not in that of other names there", async () => {
    const { a, b, alice, bob } = await pair(new MailNetwork());
    const carol = await b.connect("Carol");
    alice.send("Bob", "for Bob");
    alice.send("Carol", "for Carol");
    await Promise.all([bob.next("DELIVER"), carol.next("DELIVER")]);
    await alice.settled();
    const { payload } = await query(alice, "MESSAGES_QUERY", { to: "Bob" });
    expect(payload.messages).toMatchObject([{ body: "for Bob", to: "Bob", status: "acked" }]);
    await a[Symbol.asyncDispose]();
    await b[Symbol.asyncDispose]();
  });

  test("goes to the machine where the name is connected, and to this one when it is known here", async () => {
    const network = new MailNetwork();
    const { a, b, alice, bob } = await pair(network);
    const c = await RelayDaemon.start({ limits: QUIET });
    await (await c.connect("Bob")).leave();
    network.join("c", c.exchange);
    alice.send("Bob", "one");
    await bob.next("DELIVER");
    await (await a.connect("Bob")).leave();
    alice.send("Bob", "two");
    await alice.settled();
    expect(bob.bodies()).toEqual(["one"]);
    expect((await (await a.connect("Bob")).next("DELIVER")).payload.body).toBe("two");
    alice.send("Nobody", "three");
    await alice.when(() => alice.all("ERROR").some(({ payload }) => payload.code === "NOT_FOUND"));
    for (const daemon of [a, b, c]) await daemon[Symbol.asyncDispose]();
  });

  test("is delivered once and in order over a network that loses and repeats", async () => {
    using clock = new DaemonClock();
    const random = new SeededRandom();
    const network = new MailNetwork({ random, loses: 0.05, repeats: 0.05 });
    const { a, b, alice, bob } = await pair(network);
    for (const body of numbers(1, 200)) alice.send("Bob", body);
    await delivered(clock, bob, 200);
    expect(bob.bodies(), `seed ${random.seed}`).toEqual(numbers(1, 200));
    for (const body of numbers(201, 210)) alice.send("Bob", body);
    await delivered(clock, bob, 210);
    expect(bob.bodies(), `seed ${random.seed}`).toEqual(numbers(1, 210));
    await a[Symbol.asyncDispose]();
    await b[Symbol.asyncDispose]();
  });

  test("waits over restarts of either machine, and is delivered once", async () => {
    using clock = new DaemonClock();
    const network = new MailNetwork();
    const stores = [new MemoryStore(), new MemoryStore()] as const;
    const seen: string[] = [];
    let sent = 0;
    await (await firstOf(network, stores[1])).close();
    for (let round = 0; round < 4; round++) {
      const a = await RelayDaemon.start({ limits: QUIET, store: stores[0], now: () => clock.now() + round });
      const b = await RelayDaemon.start({ limits: QUIET, store: stores[1] });
      const alice = await a.connect("Alice", RECEIPTS);
      network.join("b", b.exchange);
      network.join("a", a.exchange);
      if (round % 2 === 1) network.leave("b");
      for (let count = 0; count < 5; count++) alice.send("Bob", `m${++sent}`);
      await alice.next("RECEIPT", 5);
      const bob = await b.connect("Bob");
      if (round % 2 === 0) await delivered(clock, bob, 5 + (round === 0 ? 0 : 5));
      seen.push(...bob.bodies());
      await bob.settled();
      network.leave("a");
      network.leave("b");
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    }
    expect(seen).toEqual(numbers(1, 15));
  });

  test("is counted in /metrics by its machine while it waits, with its age, also after a restart", async () => {
    using clock = new DaemonClock();
    const network = new MailNetwork();
    const store = new MemoryStore();
    const options = { limits: QUIET, store, now: () => clock.now() };
    const [a, b] = [await RelayDaemon.start(options), await RelayDaemon.start({ limits: QUIET })];
    await b.connect("Bob");
    const alice = await a.connect("Alice", RECEIPTS);
    network.join("a", a.exchange);
    network.join("b", b.exchange);
    network.leave("b");
    expect(await a.outboxMetrics("b")).toEqual({});
    alice.send("Bob", "one");
    await alice.next("RECEIPT", 1);
    clock.pass(60_000);
    alice.send("Bob", "two");
    await alice.next("RECEIPT", 2);
    const waiting = await a.outboxMetrics("b");
    expect(waiting).toMatchObject({ letters: 2, oldest_seconds: 60, dead_letters: 0 });
    expect(waiting.bytes).toBeGreaterThan(100);
    network.leave("a");
    await a[Symbol.asyncDispose]();
    clock.pass(30_000);
    const again = await RelayDaemon.start(options);
    expect(await again.outboxMetrics("b")).toEqual({ ...waiting, oldest_seconds: 90 });
    network.join("b", b.exchange);
    network.join("a", again.exchange);
    const done = { letters: 0, bytes: 0, oldest_seconds: 0, dead_letters: 0 };
    await expect.poll(() => again.outboxMetrics("b")).toEqual(done);
    await again[Symbol.asyncDispose]();
    await b[Symbol.asyncDispose]();
  });

  test("that its machine refuses is a dead letter of its sender", async () => {
    const { a, b, alice } = await pair(new MailNetwork(), { mailboxEntries: 2 });
    await (await b.connect("Carol")).leave();
    for (const body of ["one", "two", "three"]) alice.send("Carol", body);
    await alice.next("RECEIPT", 3);
    let failed: unknown[] = [];
    while (failed.length === 0) {
      failed = (await query(alice, "MESSAGES_QUERY", { status: "failed" })).payload.messages;
    }
    expect(failed).toMatchObject([{ body: "three", to: "Carol", status: "failed" }]);
    expect(await a.outboxMetrics("b")).toMatchObject({ dead_letters: 1 });
    await a[Symbol.asyncDispose]();
    await b[Symbol.asyncDispose]();
  });
});

describe("the relay of a fleet", () => {
  test("delivers to everybody, to subscribers of a topic, and to members of a channel on other machines", async () => {
    const { a, b, alice, bob } = await pair(new MailNetwork());
    const carol = await b.connect("Carol");
    carol.write(
      createEnvelope("SUBSCRIBE", {}, { topic: "news" }),
      createEnvelope("CHANNEL_JOIN", { channel: "#dev" }),
    );
    await carol.settled();
    alice.send("*", "all");
    alice.send("*", "some", { topic: "news" });
    alice.write(createEnvelope("CHANNEL_JOIN", { channel: "#dev" }));
    alice.write(createEnvelope("CHANNEL_MESSAGE", { channel: "#dev", body: "in the channel" }));
    await carol.next("DELIVER", 2);
    expect(carol.bodies()).toEqual(["all", "some"]);
    expect(carol.all("DELIVER")[0]?.delivery?.originalTo).toBe("*");
    expect((await carol.next("CHANNEL_JOIN")).from).toBe("Alice");
    expect(await carol.next("CHANNEL_MESSAGE")).toMatchObject({ from: "Alice", payload: { body: "in the channel" } });
    await bob.next("DELIVER");
    await bob.settled();
    expect(bob.bodies()).toEqual(["all"]);
    expect(bob.all("CHANNEL_MESSAGE")).toEqual([]);
    for (const daemon of [a, b]) await daemon[Symbol.asyncDispose]();
  });

  test("takes the ACK of another machine to the sender that waits for it", async () => {
    const { a, b, alice, bob } = await pair(new MailNetwork());
    bob.isAcking = false;
    alice.send("Bob", "well?", { payload_meta: { sync: { blocking: true, correlationId: "c-1" } } });
    bob.ack(await bob.next("DELIVER"), { correlationId: "c-1", response: "yes" });
    expect(await alice.next("ACK")).toMatchObject({ from: "Bob", payload: { correlationId: "c-1", response: "yes" } });
    for (const daemon of [a, b]) await daemon[Symbol.asyncDispose]();
  });

  test("lists agents that are connected elsewhere, and reports their presence", async () => {
    const { a, b, alice } = await pair(new MailNetwork());
    alice.write(createEnvelope("SUBSCRIBE", {}, { topic: "@presence" }));
    await alice.settled();
    const carol = await b.connect("Carol");
    expect((await alice.next("PRESENCE")).payload.events).toMatchObject([{ type: "ready", name: "Carol" }]);
    const { payload } = await query(alice, "LIST_CONNECTED_AGENTS");
    expect(payload.agents.map(({ name }: { name: string }) => name)).toEqual(["Alice", "Bob", "Carol"]);
    await carol.leave();
    expect((await alice.next("PRESENCE", 2)).payload.events).toMatchObject([{ type: "left", name: "Carol" }]);
    for (const daemon of [a, b]) await daemon[Symbol.asyncDispose]();
  });
});

describe("mail goes on", () => {
  test("after the receiver has lost its store", async () => {
    using clock = new DaemonClock();
    const network = new MailNetwork();
    const { a, b, alice, bob } = await pair(network);
    alice.send("Bob", "one");
    await bob.next("DELIVER");
    await alice.settled();
    network.leave("b");
    await b[Symbol.asyncDispose]();
    const fresh = await RelayDaemon.start({ limits: QUIET });
    const again = await fresh.connect("Bob");
    network.join("b", fresh.exchange);
    alice.send("Bob", "two");
    await delivered(clock, again, 1);
    expect(again.bodies()).toEqual(["two"]);
    await a[Symbol.asyncDispose]();
    await fresh[Symbol.asyncDispose]();
  });

  test("after the sender's store was restored from a copy, with messages under positions that were used before", async () => {
    using clock = new DaemonClock();
    const directory = mkdtempSync(join(tmpdir(), "mail-"));
    const path = join(directory, "store.db");
    const network = new MailNetwork();
    const b = await RelayDaemon.start({ limits: QUIET });
    const bob = await b.connect("Bob");
    network.join("b", b.exchange);
    const run = async (bodies: readonly string[]) => {
      const a = await RelayDaemon.start({ limits: QUIET, store: new SqliteStore({ path }) });
      const alice = await a.connect("Alice", RECEIPTS);
      network.join("a", a.exchange);
      const count = bob.bodies().length + bodies.length;
      for (const body of bodies) alice.send("Bob", body);
      await delivered(clock, bob, count);
      network.leave("a");
      await a[Symbol.asyncDispose]();
    };
    await run(["one"]);
    copyFileSync(path, `${path}.copy`);
    await run(["two", "three"]);
    copyFileSync(`${path}.copy`, path);
    await run(["four"]);
    expect(bob.bodies()).toEqual(["one", "two", "three", "four"]);
    await b[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });
});

/** Bob is known on machine `b`. */
async function firstOf(network: MailNetwork, store: MemoryStore): Promise<RelayDaemon> {
  const daemon = await RelayDaemon.start({ limits: QUIET, store });
  await (await daemon.connect("Bob")).leave();
  expect(network.published).toBe(0);
  return daemon;
}
