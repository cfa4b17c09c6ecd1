import { once } from "node:events";
import net from "node:net";
import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { expect, test } from "vitest";
import { readEndpoint } from "../../../src/rendezvous/endpoint-file.js";
import { daemonDesk } from "../../server/daemon-desk.js";
import { RawPeer, SAME_PROCESS, type Seen, sendOf } from "../relay-daemon.js";

async function dial(stateDir: string): Promise<RawPeer> {
  const endpoint = await readEndpoint(stateDir);
  const socket = net.connect(endpoint?.socket ?? "");
  const peer = new RawPeer(socket);
  await once(socket, "connect");
  return peer;
}

async function connect(stateDir: string, name: string, payload: object = {}): Promise<RawPeer> {
  const peer = await dial(stateDir);
  await peer.hello(name, { ...SAME_PROCESS, ...payload });
  return peer;
}

const numbered = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}-${index}`);
const placeOf = ({ id, ts, delivery }: Seen) => `${id} ${ts} ${delivery?.seq}`;

test("after SIGKILL everything that was not acknowledged is delivered, in order and numbered as before, and nothing else", async () => {
  await using desk = daemonDesk();
  const first = await desk.startProcess();
  const bob = await dial(desk.stateDir);
  const welcome = await bob.hello("Bob");
  bob.isAcking = false;
  await (await connect(desk.stateDir, "Carol")).leave();
  const alice = await connect(desk.stateDir, "Alice");
  const dave = await connect(desk.stateDir, "Dave");
  alice.write(...numbered(500, "a").map((body) => sendOf("Bob", body)));
  dave.write(...numbered(500, "d").map((body) => sendOf("Bob", body, { topic: "t" })));
  alice.write(...numbered(1_000, "c").map((body) => sendOf("Carol", body)));
  bob.write(createEnvelope("SUBSCRIBE", {}, { topic: "news" }));
  await bob.next("DELIVER", 1_000);
  const acked = bob.all("DELIVER").filter((_, index) => index % 3 === 1);
  for (const delivered of acked) bob.ack(delivered);
  await bob.settled();
  // The daemon has read them; what is promised is that they count if that was 50 ms before its death.
  for (const read = performance.now(); performance.now() - read < 50; ) await alice.settled();
  alice.send("Bob", "last");
  await bob.next("DELIVER", 1_001);

  first.kill("SIGKILL");
  await once(first, "exit");
  await desk.startProcess();

  const again = await dial(desk.stateDir);
  const resumed = await again.hello("Bob", { session: { resume_token: welcome.payload.resume_token } });
  expect(resumed.payload).toEqual(welcome.payload);
  const carol = await connect(desk.stateDir, "Carol");
  const sender = await connect(desk.stateDir, "Alice");
  sender.send("Bob", "after");
  sender.send("*", "subscribed", { topic: "news" });
  await again.when(() => again.bodies().includes("subscribed"));
  await carol.next("DELIVER", 1_000);

  const ackedIds = new Set(acked.map(({ id }) => id));
  const expected = bob.all("DELIVER").filter(({ id }) => !ackedIds.has(id));
  const redelivered = again.all("DELIVER").slice(0, -2);
  expect(redelivered.map(placeOf)).toEqual(expected.map(placeOf));
  expect(
    again
      .all("DELIVER")
      .slice(-2)
      .map(({ delivery }) => delivery?.seq),
  ).toEqual([502, 1]);
  expect(carol.bodies()).toEqual(numbered(1_000, "c"));
  expect(again.all("ERROR")).toEqual([]);
  for (const peer of [alice, bob, dave, again, carol, sender]) await peer.cut();
});
