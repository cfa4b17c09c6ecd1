import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { expect, test } from "vitest";
import { RelayDaemon, sendOf } from "../relay-daemon.js";

const BODIES = Array.from({ length: 600 }, (_, index) => `m${index}`);

test("an ACK acknowledges every message it names: none of them comes again, the others do", async () => {
  await using daemon = await RelayDaemon.start();
  const alice = await daemon.connect("Alice");
  const bob = await daemon.connect("Bob");
  bob.isAcking = false;
  alice.write(...BODIES.map((body) => sendOf("Bob", body)));
  await bob.next("DELIVER", BODIES.length);
  const [first, ...others] = bob.all("DELIVER").map(({ id }) => id);
  const kept = others.splice(300, 2);
  bob.write(
    createEnvelope("ACK", { ack_id: first ?? "", seq: 1, also: [...others, "unknown", ...others.slice(5, 8)] }),
  );
  await bob.leave();
  const again = await daemon.connect("Bob");
  alice.send("Bob", "new");
  await again.when(() => again.bodies().includes("new"));
  expect(again.all("DELIVER").map(({ id }) => id)).toEqual([...kept, expect.any(String)]);
});

test("an ACK with a list that holds anything but texts is refused, and acknowledges nothing", async () => {
  await using daemon = await RelayDaemon.start();
  const alice = await daemon.connect("Alice");
  const bob = await daemon.connect("Bob");
  bob.isAcking = false;
  alice.send("Bob", "hi");
  const { id } = await bob.next("DELIVER");
  bob.write(createEnvelope("ACK", { ack_id: id, seq: 1, also: [7] as unknown as string[] }));
  await bob.settled();
  await bob.cut();
  const again = await daemon.connect("Bob");
  expect((await again.next("DELIVER")).id).toBe(id);
});

test("receipts of one transaction go out as few RECEIPTs to a client that reads batches, each SEND in one of them", async () => {
  await using daemon = await RelayDaemon.start();
  const alice = await daemon.connect("Alice", { capabilities: { receipts: true, batches: true } });
  const bob = await daemon.connect("Bob");
  const sends = BODIES.map((body, index) => sendOf(index % 100 === 99 ? "Nobody" : "Bob", body));
  alice.write(...sends);
  const named = () => alice.all("RECEIPT").flatMap(({ payload }) => [payload.ref_id, ...(payload.also ?? [])]);
  await alice.when(() => named().length >= sends.length);
  expect(named()).toHaveLength(sends.length);
  expect(new Set(named())).toEqual(new Set(sends.map(({ id }) => id)));
  expect(alice.all("RECEIPT").every(({ payload }) => (payload.also?.length ?? 0) < 256)).toBe(true);
  expect(alice.all("RECEIPT").length).toBeLessThan(BODIES.length / 4);
  const refused = alice.all("RECEIPT").filter(({ payload }) => payload.state === "refused");
  expect(new Set(refused.flatMap(({ payload }) => [payload.ref_id, ...(payload.also ?? [])]))).toEqual(
    new Set(sends.filter(({ to }) => to === "Nobody").map(({ id }) => id)),
  );
  await bob.settled();
});
