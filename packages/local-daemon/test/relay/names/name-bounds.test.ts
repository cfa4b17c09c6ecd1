import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../../src/server.js";
import { DaemonClock } from "../daemon-clock.js";
import { personTicket } from "../person-ticket.js";
import { query, type RawPeer, RelayDaemon } from "../relay-daemon.js";

const MINUTES = 60_000;

function refusalOf(peer: RawPeer): unknown {
  return peer.all("ERROR").find(({ payload }) => payload.fatal === true)?.payload;
}

async function namesKnown(peer: RawPeer): Promise<string[]> {
  const { payload } = await query(peer, "LIST_AGENTS", { includeIdle: true });
  return (payload.agents as { name: string }[])
    .map(({ name }) => name)
    .toSorted((one, other) => (one < other ? -1 : 1));
}

describe("names past their number", () => {
  test("are forgotten, those that were given up first, then the oldest that lost their connection", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({
      now: () => clock.now(),
      limits: { relayNames: 4, relayHeartbeatMs: 10_000_000 },
    });
    const watcher = await daemon.connect("Watcher");
    await (await daemon.connect("Lost-1")).cut();
    await watcher.settled();
    clock.pass(1 * MINUTES);
    await (await daemon.connect("Lost-2")).cut();
    await watcher.settled();
    await (await daemon.connect("Bye")).leave();
    await daemon.connect("New-1");
    expect(await namesKnown(watcher)).toEqual(["Lost-1", "Lost-2", "New-1", "Watcher"]);
    clock.pass(5 * MINUTES);
    await daemon.connect("New-2");
    expect(await namesKnown(watcher)).toEqual(["Lost-2", "New-1", "New-2", "Watcher"]);
  });

  test("are refused by name and number while all of them are needed, and connected ones have their names again", async () => {
    using clock = new DaemonClock();
    await using daemon = await RelayDaemon.start({ now: () => clock.now(), limits: { relayNames: 3 } });
    const alice = await daemon.connect("Alice");
    await (await daemon.connect("Bob")).leave();
    alice.send("Bob", "for Bob");
    await alice.settled();
    const lost = await daemon.connect("Lost");
    await lost.cut();
    await alice.settled();
    expect(refusalOf(await daemon.stranger("Carol"))).toMatchObject({
      code: "BAD_REQUEST",
      message: expect.stringMatching(/have 3 names, and 3 are the limit \(relayNames\)/),
    });
    const back = await daemon.connect("Lost");
    await back.leave();
    expect(refusalOf(await daemon.stranger("Carol"))).toBeUndefined();
    const bob = await daemon.connect("Bob");
    expect((await bob.next("DELIVER")).payload.body).toBe("for Bob");
  });

  test("of programs leave the person's room untouched", async () => {
    await using daemon = await RelayDaemon.start({ port: 0, limits: { relayNames: 1 } });
    await daemon.connect("Program");
    expect(refusalOf(await daemon.stranger("Other"))).toMatchObject({ code: "BAD_REQUEST" });
    const ticket = await personTicket(daemon);
    expect(refusalOf(await daemon.stranger("Person", { ticket }))).toBeUndefined();
  });

  test("that an earlier daemon stored are forgotten as well, with their mailboxes", async () => {
    using clock = new DaemonClock();
    const store = new MemoryStore();
    const config = { store, now: () => clock.now() };
    await using first = await RelayDaemon.start(config);
    const alice = await first.connect("Alice");
    for (const name of ["One", "Two", "Three"]) {
      const peer = await first.connect(name);
      alice.send(name, "acknowledged");
      await peer.next("DELIVER");
      await peer.settled();
      await peer.leave();
    }
    await first.close();
    clock.pass(10 * MINUTES);
    await using second = await RelayDaemon.start({ ...config, limits: { relayNames: 2 } });
    const back = await second.connect("Alice");
    expect(await namesKnown(back)).toHaveLength(2);
    await back.settled();
    expect((await store.mailboxes()).map(({ address }) => address)).toHaveLength(2);
  });
});

test("what names state is bounded in characters, also for a name that states more than before", async () => {
  await using daemon = await RelayDaemon.start({ limits: { relayNamesUnits: 12_000 } });
  const workingDirectory = "/".repeat(4_096);
  await daemon.connect("One", { workingDirectory });
  const two = await daemon.connect("Two");
  expect(refusalOf(await daemon.stranger("Three", { workingDirectory, task: "t".repeat(1_024) }))).toBeUndefined();
  expect(refusalOf(await daemon.stranger("Four", { workingDirectory }))).toMatchObject({
    code: "BAD_REQUEST",
    message: expect.stringMatching(/12000 are the limit \(relayNamesUnits\)/),
  });
  await two.cut();
  const token = two.all("WELCOME")[0]?.payload.resume_token as string;
  const larger = await daemon.stranger("Two", { workingDirectory, session: { resume_token: token } });
  expect(refusalOf(larger)).toMatchObject({ code: "BAD_REQUEST" });
});
