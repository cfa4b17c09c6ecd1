import { describe, expect, test } from "vitest";
import { DaemonClock } from "../daemon-clock.js";
import { RelayDaemon, SAME_PROCESS, type Seen } from "../relay-daemon.js";

const placeOf = ({ id, ts, delivery }: Seen) => ({ id, ts, seq: delivery?.seq });

describe("a message for somebody who is away", () => {
  test("waits, and comes marked as such when its recipient does, in order, before what is sent later", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Bob")).leave();
    for (const body of ["m1", "m2", "m3"]) alice.send("Bob", body);
    await alice.settled();
    const bob = await daemon.connect("Bob");
    await bob.next("DELIVER", 3);
    alice.send("Bob", "m4");
    await bob.next("DELIVER", 4);
    expect(bob.bodies()).toEqual(["m1", "m2", "m3", "m4"]);
    expect(bob.all("DELIVER").map(({ delivery }) => delivery?.seq)).toEqual([1, 2, 3, 4]);
    expect(bob.all("DELIVER")[0]?.payload.data).toEqual({ _offlineQueued: true, _queuedAt: expect.any(Number) });
    expect(bob.seen.at(-1)?.payload).not.toHaveProperty("data");
  });

  test("waits beyond a ttl_ms that its sender wrote: what was accepted is kept until it is acknowledged", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({ now: () => clock.now(), limits: { relayHeartbeatMs: 10_000_000 } });
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Bob")).leave();
    alice.send("Bob", "late", { payload_meta: { ttl_ms: 1 } });
    await alice.settled();
    clock.pass(60_000);
    const bob = await daemon.connect("Bob");
    expect((await bob.next("DELIVER")).payload.body).toBe("late");
  });

  test("that nobody ever heard of is refused with a NOT_FOUND that names the message", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    for (const to of ["Nobody", "alice", "#general", "_router", "_consensus"]) {
      const id = alice.send(to, "hi");
      await alice.when(() => alice.all("ERROR").some(({ payload }) => payload.ref_id === id));
      const { payload } = alice.all("ERROR").at(-1) as Seen;
      expect(payload).toMatchObject({ code: "NOT_FOUND", fatal: false, ref_id: id });
      expect(payload.message).toContain(id);
    }
  });

  test("waits for a user that left just now, and is refused once it is gone for long", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({ now: () => clock.now(), limits: { relayHeartbeatMs: 10_000_000 } });
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Uma", { entityType: "user" })).leave();
    clock.pass(299_000);
    alice.send("Uma", "in time");
    const uma = await daemon.connect("Uma", { entityType: "user" });
    expect((await uma.next("DELIVER")).payload.body).toBe("in time");
    await uma.leave();
    clock.pass(301_000);
    alice.send("Uma", "too late");
    expect((await alice.next("ERROR")).payload.code).toBe("NOT_FOUND");
  });
});

describe("until it is acknowledged", () => {
  test("a message comes again at 5, 10, 20 and 40 s, then each minute, as the same frame", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({ now: () => clock.now(), limits: { relayHeartbeatMs: 10_000_000 } });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.isAcking = false;
    alice.send("Bob", "m1");
    const first = await bob.next("DELIVER");
    let count = 1;
    for (const pause of [5_000, 5_000, 10_000, 20_000, 60_000, 60_000]) {
      clock.pass(pause - 1_000);
      await bob.settled();
      expect(bob.all("DELIVER")).toHaveLength(count);
      clock.pass(1_000);
      expect(await bob.next("DELIVER", ++count)).toEqual(first);
    }
    bob.ack(first);
    await bob.settled();
    clock.pass(600_000);
    await bob.settled();
    expect(bob.all("DELIVER")).toHaveLength(count);
  });

  test("an ACK is for one message: others come again, in any order of ACKs", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({ now: () => clock.now() });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.isAcking = false;
    for (const body of ["m1", "m2", "m3", "m4"]) alice.send("Bob", body);
    await bob.next("DELIVER", 4);
    for (const index of [3, 1]) bob.ack(bob.all("DELIVER")[index] as Seen);
    await bob.settled();
    clock.pass(5_000);
    await bob.next("DELIVER", 6);
    expect(bob.bodies().slice(4)).toEqual(["m1", "m3"]);
  });

  test("an ACK from somebody else means nothing", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.isAcking = false;
    alice.send("Bob", "m1");
    const delivered = await bob.next("DELIVER");
    alice.ack(delivered);
    await alice.settled();
    await bob.cut();
    const again = await daemon.connect("Bob");
    expect(placeOf(await again.next("DELIVER"))).toEqual(placeOf(delivered));
  });
});

describe("resuming", () => {
  test("with the token keeps the session, the numbers, and what was not acknowledged", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.dial();
    const welcome = await bob.hello("Bob");
    bob.isAcking = false;
    for (const body of ["m1", "m2", "m3"]) alice.send("Bob", body);
    const delivered = [await bob.next("DELIVER"), await bob.next("DELIVER", 2), await bob.next("DELIVER", 3)];
    bob.ack(delivered[0] as Seen);
    await bob.settled();
    await bob.cut();
    alice.send("Bob", "m4");
    await alice.settled();
    const again = await daemon.dial();
    const resumed = await again.hello("Bob", { session: { resume_token: welcome.payload.resume_token } });
    expect(resumed.payload).toEqual(welcome.payload);
    alice.send("Bob", "m5");
    await again.next("DELIVER", 4);
    expect(again.all("ERROR")).toEqual([]);
    expect(again.bodies()).toEqual(["m2", "m3", "m4", "m5"]);
    expect(again.all("DELIVER").slice(0, 2)).toEqual(delivered.slice(1));
    expect(again.all("DELIVER").map(({ delivery }) => delivery?.seq)).toEqual([2, 3, 4, 5]);
  });

  test("with an unknown token, or another name's, tells RESUME_TOO_OLD and starts a new session", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.dial();
    const { payload } = await alice.hello("Alice");
    for (const token of ["made-up", payload.resume_token]) {
      const bob = await daemon.dial();
      const welcome = await bob.hello("Bob", { ...SAME_PROCESS, session: { resume_token: token } });
      expect(bob.seen[0]?.payload).toMatchObject({
        code: "RESUME_TOO_OLD",
        message: "Resume token rejected; starting new session",
        fatal: false,
      });
      expect(welcome.payload.session_id).not.toBe(payload.session_id);
    }
  });

  test("without the token starts a new session, in which everything that waits is delivered all the same", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    bob.isAcking = false;
    alice.send("Bob", "m1");
    const first = await bob.next("DELIVER");
    await bob.cut();
    const again = await daemon.dial();
    const welcome = await again.hello("Bob", SAME_PROCESS);
    const redelivered = await again.next("DELIVER");
    expect(placeOf(redelivered)).toEqual(placeOf(first));
    expect(redelivered.delivery?.session_id).toBe(welcome.payload.session_id);
  });

  test("after messages were dropped by age tells RESUME_TOO_OLD, once", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({
      now: () => clock.now(),
      limits: { mailboxAgeMs: 3_600_000, relayHeartbeatMs: 10_000_000 },
    });
    const alice = await daemon.connect("Alice");
    const bob = await daemon.dial();
    const token = (await bob.hello("Bob")).payload.resume_token as string;
    await bob.cut();
    alice.send("Bob", "old");
    await alice.settled();
    clock.pass(2 * 3_600_000);
    alice.send("Bob", "new");
    await alice.settled();
    const again = await daemon.dial();
    const welcome = await again.hello("Bob", { session: { resume_token: token } });
    expect(again.seen[0]?.payload).toMatchObject({ code: "RESUME_TOO_OLD", fatal: false });
    await again.next("DELIVER");
    expect(again.bodies()).toEqual(["new"]);
    await again.cut();
    const third = await daemon.dial();
    await third.hello("Bob", { session: { resume_token: welcome.payload.resume_token } });
    expect(third.all("ERROR")).toEqual([]);
  });
});
