import fc from "fast-check";
import { expect, test } from "vitest";
import { Coalescer } from "../src/coalescer.js";

/** A stream that counts, and a tick that ends when told to. */
function bench(limitBytes: number) {
  const atTickEnd: (() => void)[] = [];
  const stream = {
    corks: 0,
    most: 0,
    cork: () => {
      stream.most = Math.max(stream.most, ++stream.corks);
    },
    uncork: () => {
      stream.corks--;
    },
  };
  const coalescer = new Coalescer(stream, (flush) => atTickEnd.push(flush), limitBytes);
  const endTick = () => {
    for (const flush of atTickEnd.splice(0)) flush();
  };
  return { stream, coalescer, endTick, atTickEnd };
}

test("the first write of a tick corks, the end of the tick uncorks", () => {
  const { stream, coalescer, endTick, atTickEnd } = bench(1000);
  coalescer.write(10, () => expect(stream.corks).toBe(1));
  coalescer.write(10, () => expect(stream.corks).toBe(1));
  expect(atTickEnd).toHaveLength(1);
  endTick();
  expect(stream.corks).toBe(0);
});

test("a flush in the middle of a tick leaves the rest of it coalesced", () => {
  const { stream, coalescer, endTick } = bench(1000);
  coalescer.write(1000, () => {});
  expect(stream.corks).toBe(0);
  coalescer.write(1, () => {});
  expect(stream.corks).toBe(1);
  endTick();
  expect(stream.corks).toBe(0);
});

test("whatever happens, a stream is corked once at most and never after the tick", () => {
  const action = fc.oneof(fc.nat(600), fc.constant("flush" as const), fc.constant("tick" as const));
  fc.assert(
    fc.property(fc.array(action), (actions) => {
      const { stream, coalescer, endTick } = bench(1000);
      for (const one of actions) {
        if (one === "flush") coalescer.flush();
        else if (one === "tick") endTick();
        else coalescer.write(one, () => {});
        if (one === "flush" || one === "tick") expect(stream.corks).toBe(0);
      }
      endTick();
      expect(stream.corks).toBe(0);
      expect(stream.most).toBeLessThanOrEqual(1);
    }),
  );
});
