import { describe, expect, test, vi } from "vitest";
import { OutputShare, type SteppedWork } from "../../src/agents/drivers/output-share.js";
import { AGENT_LIMITS } from "../../src/limits/index.js";

/** Work of so many steps, each of which takes so long by the clock that the test moves. */
function work(name: string, steps: number, stepMs: number, done: string[], by = clock): SteppedWork {
  let left = steps;
  return {
    step() {
      done.push(name);
      by.now += stepMs;
      return --left > 0;
    },
  };
}
const clock = { now: 0 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("the share of the loop", () => {
  test("of each who has work is a slice, in turn, and the round ends before anything else waits for long", async () => {
    vi.spyOn(performance, "now").mockImplementation(() => clock.now);
    const share = new OutputShare();
    const done: string[] = [];
    share.add(work("a", 1000, AGENT_LIMITS.loopSliceMs / 4, done));
    share.add(work("b", 1000, AGENT_LIMITS.loopSliceMs / 4, done));
    const before = clock.now;
    await turn();
    expect(clock.now - before).toBeLessThanOrEqual(AGENT_LIMITS.loopRoundMs + AGENT_LIMITS.loopSliceMs);
    await turn();
    await turn();
    // The first began at once; from then on neither is more than a slice ahead.
    const [a, b] = ["a", "b"].map((name) => done.filter((one) => one === name).length) as [number, number];
    expect(Math.abs(a - b)).toBeLessThanOrEqual(8);
    vi.restoreAllMocks();
  });

  test("of one that has just got work comes after one slice, however many write without end", async () => {
    vi.spyOn(performance, "now").mockImplementation(() => clock.now);
    const share = new OutputShare();
    const done: string[] = [];
    for (let n = 0; n < 20; n += 1) share.add(work("flood", 1000, AGENT_LIMITS.loopSliceMs / 4, done));
    for (let n = 0; n < 20; n += 1) await turn();
    const before = done.length;
    share.add(work("quiet", 1, AGENT_LIMITS.loopSliceMs / 4, done));
    await turn();
    await turn();
    const sliceSteps = 4;
    expect(done.indexOf("quiet")).toBeGreaterThan(0);
    expect(done.indexOf("quiet") - before).toBeLessThanOrEqual(sliceSteps);
    vi.restoreAllMocks();
  });

  test("of one whose single step took long is nothing for as long", async () => {
    vi.spyOn(performance, "now").mockImplementation(() => clock.now);
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const share = new OutputShare();
    const done: string[] = [];
    share.add(work("long", 2, 50, done));
    await turn();
    vi.advanceTimersByTime(49);
    await turn();
    expect(done).toEqual(["long"]);
    expect(share.isIdle).toBe(false);
    vi.advanceTimersByTime(1);
    await turn();
    expect(done).toEqual(["long", "long"]);
    expect(share.isIdle).toBe(true);
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test.each([
    [true, AGENT_LIMITS.loopShare],
    [false, 1],
  ])(
    "while another writes a little: %s, one that writes without end gets that part of the time: %d",
    async (isOther, part) => {
      // What other tests left undone moves theirs.
      const own = { now: 0 };
      vi.spyOn(performance, "now").mockImplementation(() => own.now);
      vi.useFakeTimers({ toFake: ["setTimeout"] });
      const share = new OutputShare();
      const done: string[] = [];
      const stepMs = AGENT_LIMITS.loopSliceMs / 4;
      const flood = work("flood", Number.POSITIVE_INFINITY, stepMs, done, own);
      share.add(flood);
      let wholeMs = 0;
      for (let ms = 0; ms < 1_000; ms++) {
        if (isOther && ms % 20 === 0) share.add(work("other", 1, stepMs, done, own));
        const before = own.now;
        await turn();
        await turn();
        // The rest of this millisecond nothing is done; more than that was done in the time of the next ones.
        own.now = Math.max(own.now, before + 1);
        wholeMs += own.now - before;
        vi.advanceTimersByTime(own.now - before);
      }
      const floodMs = done.filter((name) => name === "flood").length * stepMs;
      expect(floodMs / wholeMs).toBeGreaterThan(part * 0.8);
      expect(floodMs / wholeMs).toBeLessThan(part * 1.2);
      vi.useRealTimers();
      vi.restoreAllMocks();
    },
  );
});
