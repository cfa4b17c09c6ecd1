import fc from "fast-check";
import { expect, test } from "vitest";
import { approximateBytes, EventQueue } from "../../src/base/event-queue.js";
import { rejection } from "../support.js";

const queueOf = (maxBytes = 1_000_000) => new EventQueue<number>({ sizeOf: () => 10, maxBytes });

test("an item that was waited for is handed over without being weighed", async () => {
  const queue = new EventQueue<number>({
    sizeOf: () => {
      throw new TypeError("weighed");
    },
  });
  const next = queue.next();
  queue.push(7);
  expect(await next).toEqual({ value: 7, done: false });
});

test("the end comes after the items before it, once, and then stays", async () => {
  const queue = queueOf();
  queue.push(1);
  queue.end();
  expect(queue.push(2)).toBe(false);
  expect(await queue.next()).toEqual({ value: 1, done: false });
  expect(await queue.next()).toEqual({ value: undefined, done: true });
  expect(await queue.next()).toEqual({ value: undefined, done: true });
});

test("an error is thrown once, after the items before it", async () => {
  const queue = queueOf();
  queue.push(1);
  queue.fail(new RangeError("broken"));
  queue.fail(new RangeError("too late"));
  expect((await queue.next()).value).toBe(1);
  expect(await rejection(queue.next())).toMatchObject({ message: "broken" });
  expect((await queue.next()).done).toBe(true);
});

test("of several waiting calls the first gets the error, the others the end", async () => {
  const queue = queueOf();
  const [first, second] = [queue.next(), queue.next()];
  queue.fail(new RangeError("broken"));
  expect(await rejection(first)).toMatchObject({ message: "broken" });
  expect((await second).done).toBe(true);
});

test("past the bound what waits is dropped, and the consumer hears SLOW_CONSUMER", async () => {
  let overflows = 0;
  const queue = new EventQueue<number>({ sizeOf: () => 10, maxBytes: 25, onOverflow: () => overflows++ });
  expect([queue.push(1), queue.push(2), queue.push(3), queue.push(4)]).toEqual([true, true, false, false]);
  expect(queue.bytes).toBe(0);
  expect(overflows).toBe(1);
  expect(await rejection(queue.next())).toMatchObject({ code: "SLOW_CONSUMER" });
});

test("discarding ends without an error, whatever the end was to be", async () => {
  const queue = queueOf();
  queue.push(1);
  queue.fail(new RangeError("broken"));
  queue.discard();
  expect(await queue.next()).toEqual({ value: undefined, done: true });
});

test("whatever the order of pushes and reads, every item comes once, in order, and the bytes return to zero", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 200 }), async (steps) => {
      const queue = queueOf();
      const reads: Promise<IteratorResult<number, undefined>>[] = [];
      let pushed = 0;
      for (const isPush of steps) {
        if (isPush) queue.push(pushed++);
        else reads.push(queue.next());
      }
      queue.end();
      while (reads.length <= pushed) reads.push(queue.next());
      const results = await Promise.all(reads);
      const items = results.filter((result) => !result.done).map((result) => result.value);
      expect(items).toEqual(Array.from({ length: pushed }, (_, index) => index));
      expect(results.slice(pushed).every((result) => result.done)).toBe(true);
      expect(queue.bytes).toBe(0);
    }),
  );
});

test("a value weighs more the longer its text is", () => {
  const small = approximateBytes({ type: "assistant_text_delta", text: "x" });
  expect(approximateBytes({ type: "assistant_text_delta", text: "x".repeat(1_000) })).toBeGreaterThan(small + 1_900);
});
