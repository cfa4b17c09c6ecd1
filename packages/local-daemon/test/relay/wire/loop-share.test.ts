import { createEnvelope, encodeFrame } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { personTicket } from "../person-ticket.js";
import { query, type RawPeer, RelayDaemon, sendOf } from "../relay-daemon.js";

/** Each is refused by an ERROR, which counts it. */
const LARGE = encodeFrame(sendOf("Nobody", "x".repeat(1_000_000)), 2 ** 20);
const SECOND = 1_000;

/** Floods for a second while another one is served all the time; returns how many messages of the flood were handled. */
async function handledOf(flooder: RawPeer, other: RawPeer): Promise<number> {
  const before = flooder.all("ERROR").length;
  for (let count = 0; count < 100; count += 1) flooder.socket.write(LARGE);
  for (const end = performance.now() + SECOND; performance.now() < end; ) await query(other, "STATUS");
  return flooder.all("ERROR").length - before;
}

describe("a peer that sends large messages flat out", () => {
  test("is handled slowly while another one is served, and all of it once it is alone", async () => {
    await using daemon = await RelayDaemon.start();
    const flooder = await daemon.connect("Flooder");
    const other = await daemon.connect("Other");
    expect(await handledOf(flooder, other)).toBeLessThan(30);
    await flooder.next("ERROR", 100);
    // It was no silence of the peer that its answers to pings waited.
    expect(flooder.isEnded).toBe(false);
  });

  test("delays no other program that has proven as little", async () => {
    await using daemon = await RelayDaemon.start();
    const flooder = await daemon.connect("Flooder");
    const other = await daemon.connect("Other");
    const served = handledOf(flooder, other);
    let answers = 0;
    const third = await daemon.connect("Third");
    for (const end = performance.now() + SECOND; performance.now() < end; answers += 1) await query(third, "STATUS");
    await served;
    expect(answers).toBeGreaterThan(50);
  });

  test("has the person's share when it acts for the person", async () => {
    await using daemon = await RelayDaemon.start({ port: 0 });
    const person = await daemon.dial();
    await person.hello("Person", { ticket: await personTicket(daemon) });
    const other = await daemon.connect("Other");
    expect(await handledOf(person, other)).toBeGreaterThan(30);
  });
});

test("a flood of small messages is taken in order, and its peer is read no faster than it is handled", async () => {
  await using daemon = await RelayDaemon.start();
  const flooder = await daemon.connect("Flooder");
  const other = await daemon.connect("Other");
  const frames = Array.from({ length: 20_000 }, (_, index) => sendOf("Other", `m${index}`));
  flooder.write(...frames, createEnvelope("BYE", {}));
  await other.next("DELIVER", frames.length);
  expect(other.bodies()).toEqual(frames.map((_, index) => `m${index}`));
  await flooder.ended();
});
