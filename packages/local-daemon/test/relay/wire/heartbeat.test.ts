import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { DaemonClock } from "../daemon-clock.js";
import { RelayDaemon, sendOf } from "../relay-daemon.js";

describe("the heartbeat", () => {
  test("pings each interval, and gives up a peer that says nothing for six", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({ now: () => clock.now() });
    const alice = await daemon.connect("Alice");
    clock.pass(25_000);
    await alice.next("PING", 5);
    expect(alice.all("PING")[0]?.payload.nonce).toBeTypeOf("string");
    await alice.settled();
    // That was a sign of life: the count starts again.
    clock.pass(25_000);
    await alice.next("PING", 10);
    expect(alice.isEnded).toBe(false);
    clock.pass(5_000);
    await alice.ended();
    expect(alice.all("ERROR").filter(({ payload }) => payload.fatal)).toEqual([]);
  });

  test("leaves an agent alone that got a message, for thirty seconds", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({ now: () => clock.now() });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.isAcking = false;
    clock.pass(25_000);
    await bob.next("PING", 5);
    alice.write(createEnvelope("PONG", { nonce: "x" }), sendOf("Bob", "work"));
    await bob.next("DELIVER");
    clock.pass(5_000);
    await bob.next("PING", 6);
    await alice.settled();
    expect(bob.isEnded).toBe(false);
  });
});
