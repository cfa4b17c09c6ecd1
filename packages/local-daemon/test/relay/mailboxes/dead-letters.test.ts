import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { type DaemonConfig, MemoryStore } from "../../../src/server.js";
import { DaemonClock } from "../daemon-clock.js";
import { type RawPeer, RelayDaemon } from "../relay-daemon.js";

const HOUR_MS = 3_600_000;

function configOf(clock: DaemonClock, more: DaemonConfig = {}): DaemonConfig {
  return { now: () => clock.now(), limits: { mailboxAgeMs: HOUR_MS, relayHeartbeatMs: 10_000_000 }, ...more };
}

async function deadLetters(peer: RawPeer): Promise<{ id: string; body: string; status: string; to: string }[]> {
  const query = createEnvelope("MESSAGES_QUERY", { status: "failed", order: "asc" });
  peer.write(query);
  await peer.when(() => peer.all("MESSAGES_RESPONSE").some(({ id }) => id === query.id));
  return peer.all("MESSAGES_RESPONSE").find(({ id }) => id === query.id)?.payload.messages;
}

async function resend(peer: RawPeer, ids: string[]): Promise<string[]> {
  const request = createEnvelope("RESEND", { ids });
  peer.write(request);
  await peer.when(() => peer.all("RESEND_RESPONSE").some(({ id }) => id === request.id));
  return peer.all("RESEND_RESPONSE").find(({ id }) => id === request.id)?.payload.ids;
}

/** Two messages of Alice that Bob does not get within their age. */
async function expire(daemon: RelayDaemon, clock: DaemonClock): Promise<RawPeer> {
  const alice = await daemon.connect("Alice");
  await (await daemon.connect("Bob")).leave();
  for (const body of ["one", "two"]) alice.send("Bob", body);
  await alice.settled();
  clock.pass(3 * HOUR_MS);
  while ((await deadLetters(alice)).length < 2) await alice.settled();
  return alice;
}

describe("messages that were dropped by age", () => {
  test("are listed as dead letters, and sent again on request, once", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start(configOf(clock));
    const alice = await expire(daemon, clock);
    const letters = await deadLetters(alice);
    expect(letters).toEqual([
      expect.objectContaining({ to: "Bob", body: "one", status: "failed" }),
      expect.objectContaining({ to: "Bob", body: "two", status: "failed" }),
    ]);
    const bob = await daemon.connect("Bob");
    await bob.settled();
    expect(bob.bodies()).toEqual([]);
    const ids = letters.map(({ id }) => id);
    expect(await resend(alice, [...ids, "made-up"])).toEqual(ids);
    await bob.next("DELIVER", 2);
    expect(bob.bodies()).toEqual(["one", "two"]);
    expect(bob.all("DELIVER").map(({ from }) => from)).toEqual(["Alice", "Alice"]);
    expect(await deadLetters(alice)).toEqual([]);
    expect(await resend(alice, ids)).toEqual([]);
  });

  test("stay dead letters over a restart, and are nobody's who neither sent nor received them", async () => {
    using clock = new DaemonClock();
    const store = new MemoryStore();
    await using first = await RelayDaemon.start(configOf(clock, { store }));
    const letters = await deadLetters(await expire(first, clock));
    await first.close();
    await using second = await RelayDaemon.start(configOf(clock, { store }));
    const ids = letters.map(({ id }) => id);
    const spy = await second.connect("Spy");
    expect([await deadLetters(spy), await resend(spy, ids)]).toEqual([[], []]);
    const bob = await second.connect("Bob");
    expect(await deadLetters(bob)).toHaveLength(2);
    expect(await resend(bob, ids.slice(1))).toEqual(ids.slice(1));
    expect((await bob.next("DELIVER")).payload.body).toBe("two");
  });
});

test("a clock that is a week ahead at a start drops no mail", async () => {
  using clock = new DaemonClock();
  const store = new MemoryStore();
  await using first = await RelayDaemon.start(configOf(clock, { store }));
  const alice = await first.connect("Alice");
  await (await first.connect("Bob")).leave();
  alice.send("Bob", "kept");
  await alice.settled();
  await first.close();
  const ahead = { by: 7 * 24 * HOUR_MS };
  await using second = await RelayDaemon.start(configOf(clock, { store, now: () => clock.now() + ahead.by }));
  const witness = await second.connect("Witness");
  ahead.by = 0;
  clock.pass(HOUR_MS / 2);
  await witness.settled();
  const bob = await second.connect("Bob");
  expect((await bob.next("DELIVER")).payload.body).toBe("kept");
});
