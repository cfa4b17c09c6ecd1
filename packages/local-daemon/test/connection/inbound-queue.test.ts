import { describe, expect, test, vi } from "vitest";
import { InboundQueue } from "../../src/connection/inbound-queue.js";
import { LoopShare } from "../../src/connection/loop-shares.js";
import { SERVING_LIMITS } from "../../src/limits/index.js";

const { inboundMessages, keyTurn } = SERVING_LIMITS;
const { messages: turnMessages } = keyTurn;

/** The check phase of the loop: what was scheduled with `setImmediate` before has run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

function queueOf(share: LoopShare | undefined, handled: string[]) {
  const pauses: boolean[] = [];
  const queue = new InboundQueue<string>(share, {
    handle: (message) => handled.push(message),
    setPaused: (isPaused) => pauses.push(isPaused),
  });
  return { queue, pauses };
}

function flood(queue: InboundQueue<string>, name: string, count: number): string[] {
  const sent = Array.from({ length: count }, (_, n) => `${name}${n}`);
  for (const message of sent) queue.receive(message);
  return sent;
}

describe("messages of one sender", () => {
  test("a few are handled as they come", () => {
    const handled: string[] = [];
    const { queue } = queueOf(new LoopShare(keyTurn), handled);
    expect(handled).toEqual(flood(queue, "m", 5));
  });

  test("a flood is handled in order, one share in each turn of the loop", async () => {
    const handled: string[] = [];
    const { queue } = queueOf(new LoopShare(keyTurn), handled);
    const sent = flood(queue, "m", 3 * turnMessages);
    expect(handled.length).toBeLessThanOrEqual(turnMessages);
    for (let before = -1; before < handled.length; ) {
      before = handled.length;
      await turn();
      expect(handled.length - before).toBeLessThanOrEqual(turnMessages);
    }
    expect(handled).toEqual(sent);
  });

  test("connections of one sender share its share, and take turns", async () => {
    const share = new LoopShare(keyTurn);
    const handled: string[] = [];
    const [first, second] = [queueOf(share, handled), queueOf(share, handled)];
    flood(first.queue, "a", 2 * turnMessages);
    flood(second.queue, "b", 2 * turnMessages);
    expect(handled.filter((message) => message.startsWith("b"))).toEqual([]);
    await turn();
    const seen = handled.slice(turnMessages);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.slice(0, 2).map((message) => message[0])).toEqual(["a", "b"]);
  });

  test("parts of a large message are read for as long as there is a share, and again in its next turn", async () => {
    const { queue, pauses } = queueOf(new LoopShare(keyTurn), []);
    let now = 0;
    using _clock = vi.spyOn(performance, "now").mockImplementation(() => now);
    const part = () => {
      now += keyTurn.ms / 3;
    };
    queue.takePart(part);
    expect(pauses).toEqual([]);
    // A socket that is paused still gives what it has read.
    for (let at = 0; at < 4; at += 1) queue.takePart(part);
    expect(pauses).toEqual([true]);
    await turn();
    expect(pauses).toEqual([true, false]);
  });

  test("a flood of one sender does not hold back another", () => {
    const handled: string[] = [];
    flood(queueOf(new LoopShare(keyTurn), []).queue, "a", 1_000);
    flood(queueOf(new LoopShare(keyTurn), handled).queue, "b", 1);
    expect(handled).toEqual(["b0"]);
  });

  test("a slow message uses the share up", () => {
    const share = new LoopShare(keyTurn);
    const handled: string[] = [];
    share.run(() => {
      for (const since = performance.now(); performance.now() - since < keyTurn.ms; );
    });
    flood(queueOf(share, handled).queue, "m", 1);
    expect(handled).toEqual([]);
  });
});

test("while too much waits the link is not read, and what waits is bounded by that", async () => {
  const handled: string[] = [];
  const { queue, pauses } = queueOf(new LoopShare(keyTurn), handled);
  const sent = flood(queue, "m", turnMessages + inboundMessages);
  expect(pauses).toEqual([]);
  flood(queue, "late", 1);
  expect(pauses).toEqual([true]);
  while (handled.length <= sent.length) await turn();
  expect(pauses).toEqual([true, false]);
});

test("one large message that waits is enough to stop reading", () => {
  const { queue, pauses } = queueOf(new LoopShare(keyTurn), []);
  flood(queue, "m", turnMessages + 1);
  queue.receive("x".repeat(SERVING_LIMITS.inboundUnits + 1));
  expect(pauses).toEqual([true]);
});

test("the end of a link comes after the messages that came before it", async () => {
  const handled: string[] = [];
  const { queue } = queueOf(new LoopShare(keyTurn), handled);
  const sent = flood(queue, "m", 2 * turnMessages);
  await new Promise<void>((resolve) => queue.onceEmpty(resolve));
  expect(handled).toEqual(sent);
  let isCalled = false;
  queue.onceEmpty(() => {
    isCalled = true;
  });
  expect(isCalled).toBe(true);
});

test("without a share every message is handled as it comes", () => {
  const handled: string[] = [];
  expect(flood(queueOf(undefined, handled).queue, "m", 1_000)).toEqual(handled);
});
