import { createEnvelope, encodeFrame } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { SERVING_LIMITS } from "../../../src/limits/index.js";
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

/** Makes every piece of work a debt, and any debt a large one: what a message costs is of the machine. */
const EAGER = { debtWorkMs: 0, debtMs: 0, debtQuietMs: 60_000 };

describe("a peer that sends large messages flat out", () => {
  test("is handled slower than the person while another one is served, and its wait is no silence", async () => {
    using _limits = withLimits(EAGER);
    await using daemon = await RelayDaemon.start({ port: 0 });
    const other = await daemon.connect("Other");
    const person = await daemon.dial();
    await person.hello("Person", { ticket: await personTicket(daemon) });
    const flooder = await daemon.connect("Flooder");
    expect(await handledOf(flooder, other)).toBeLessThan((await handledOf(person, other)) / 2);
    expect(flooder.isEnded).toBe(false);
  });

  test("is handled to its end once it is alone", async () => {
    await using daemon = await RelayDaemon.start();
    const flooder = await daemon.connect("Flooder");
    await handledOf(flooder, await daemon.connect("Other"));
    await flooder.next("ERROR", 100);
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

/** Other limits until it is disposed of. */
function withLimits(changed: Partial<Record<keyof typeof SERVING_LIMITS, number>>): Disposable {
  const before = { ...SERVING_LIMITS };
  Object.assign(SERVING_LIMITS, changed);
  return { [Symbol.dispose]: () => Object.assign(SERVING_LIMITS, before) };
}
