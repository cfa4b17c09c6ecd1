import { createEnvelope, encodeFrame } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { type RawPeer, RelayDaemon } from "./relay-daemon.js";
import { spawned, spawningDaemon } from "./workers/spawn-harness.js";

const subscribe = (topic: string) => createEnvelope("SUBSCRIBE", {}, { topic });
const unsubscribe = (topic: string) => createEnvelope("UNSUBSCRIBE", {}, { topic });
const eventsOf = (peer: RawPeer): object[] => peer.all("PRESENCE").flatMap(({ payload }) => payload.events);

async function watcher(daemon: RelayDaemon, topic = "@presence"): Promise<RawPeer> {
  const peer = await daemon.connect("Watcher");
  peer.write(subscribe(topic));
  await peer.settled();
  return peer;
}

describe("presence", () => {
  test("is told of who comes and goes, and how, to those who subscribed to it, without AGENT_READY", async () => {
    await using daemon = await RelayDaemon.start();
    const peer = await watcher(daemon);
    await (await daemon.connect("Bob", { cli: "claude", task: "demo" })).leave();
    await (await daemon.connect("Carl")).cut();
    await peer.when(() => eventsOf(peer).length >= 4);
    expect(eventsOf(peer)).toEqual([
      { type: "ready", name: "Bob", cli: "claude", task: "demo", connectedAt: expect.any(Number) },
      { type: "left", name: "Bob", reason: "bye" },
      { type: "ready", name: "Carl", connectedAt: expect.any(Number) },
      { type: "left", name: "Carl", reason: "lost" },
    ]);
    expect(peer.all("AGENT_READY")).toEqual([]);
  });

  test("of one name says nothing of others, and ends with UNSUBSCRIBE", async () => {
    await using daemon = await RelayDaemon.start();
    const peer = await watcher(daemon, "@presence/Bob");
    await daemon.connect("Carl");
    const bob = await daemon.connect("Bob");
    await peer.when(() => eventsOf(peer).length > 0);
    expect(eventsOf(peer)).toEqual([expect.objectContaining({ type: "ready", name: "Bob" })]);
    expect(peer.all("AGENT_READY").map(({ payload }) => payload.name)).toEqual(["Carl"]);
    peer.write(unsubscribe("@presence/Bob"), subscribe("@presence/Dora"));
    await peer.settled();
    await bob.cut();
    await daemon.connect("Dora");
    await peer.when(() => eventsOf(peer).length > 1);
    expect(eventsOf(peer)[1]).toMatchObject({ type: "ready", name: "Dora" });
  });

  test("names the end of a spawned process, with its exit code or signal", async () => {
    await using daemon = await spawningDaemon();
    const peer = await watcher(daemon);
    process.kill(await spawned(peer, "Worker", "program"), "SIGKILL");
    await peer.when(() => eventsOf(peer).length >= 3);
    expect(eventsOf(peer)).toContainEqual({ type: "exited", name: "Worker", signal: "SIGKILL" });
    expect(eventsOf(peer)).toContainEqual({ type: "left", name: "Worker", reason: "lost" });
  });

  test("of many who come at once costs a subscriber a few frames, and the others none beyond the first hundred", async () => {
    await using daemon = await RelayDaemon.start();
    const peer = await watcher(daemon);
    const crowd: RawPeer[] = [];
    for (let index = 0; index < 300; index++) {
      const one = await daemon.dial();
      one.socket.write(encodeFrame(createEnvelope("HELLO", { agent: `agent-${index}` })));
      crowd.push(one);
    }
    await peer.when(() => eventsOf(peer).length >= 300);
    for (const one of crowd) await one.next("WELCOME");
    expect(peer.all("PRESENCE").length).toBeLessThan(100);
    const unasked = crowd.reduce((sum, one) => sum + one.all("AGENT_READY").length, 0);
    expect(unasked).toBeLessThanOrEqual((100 * 99) / 2);
  });

  test("in a large channel is for those who subscribed to it", async () => {
    await using daemon = await RelayDaemon.start();
    const peer = await watcher(daemon);
    const other = await daemon.connect("Other");
    const join = (member?: string) =>
      createEnvelope("CHANNEL_JOIN", { channel: "#dev", ...(member ? { member } : {}) });
    for (const one of [peer, other]) one.write(join());
    for (let index = 0; index < 110; index++) (await daemon.connect(`agent-${index}`)).write(join());
    const last = await daemon.connect("Last");
    last.write(join());
    await peer.when(() => peer.all("CHANNEL_JOIN").some(({ from }) => from === "Last"));
    await last.settled();
    await other.settled();
    expect(other.all("CHANNEL_JOIN").length).toBeLessThanOrEqual(101);
  });
});

test("texts of a HELLO are cut before others get them: no frame for others is over the bound", async () => {
  await using daemon = await RelayDaemon.start();
  const alice = await daemon.connect("Alice");
  await daemon.connect("Bob", { task: "x".repeat(1_048_000) });
  const ready = await alice.next("AGENT_READY");
  expect(ready.payload.task).toBe(`${"x".repeat(1_023)}\u2026`);
  await alice.settled();
  expect(alice.isEnded).toBe(false);
});
