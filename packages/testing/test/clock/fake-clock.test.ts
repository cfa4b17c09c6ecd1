import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock } from "../../src/index.js";

test("timers run when they are due, in the order of their time and then of their setting", async () => {
  const clock = new FakeClock({ startAt: 1_000 });
  const ran: string[] = [];
  const note = (name: string) => () => void ran.push(`${name}@${clock.now()}`);
  clock.setTimer(note("late"), 20);
  clock.setTimer(note("first"), 10);
  clock.setTimer(note("second"), 10);
  clock.setTimer(note("later"), 21);
  expect(clock.nextTimerInMs).toBe(10);
  await clock.advance(20);
  expect(ran).toEqual(["first@1010", "second@1010", "late@1020"]);
  expect([clock.now(), clock.pendingTimers]).toEqual([1_020, 1]);
});

test("a cancelled timer never runs, and cancelling twice harms no other", async () => {
  const clock = new FakeClock();
  const ran: string[] = [];
  const cancel = clock.setTimer(() => ran.push("cancelled"), 5);
  clock.setTimer(() => ran.push("kept"), 5);
  cancel();
  cancel();
  await clock.advance(10);
  expect(ran).toEqual(["kept"]);
  expect(clock.pendingTimers).toBe(0);
});

test("promises settle between two timers, so a loop of waits goes on as it would in real time", async () => {
  const clock = new FakeClock({ startAt: 0 });
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  const seen: number[] = [];
  const loop = async () => {
    for (let round = 0; round < 5; round++) {
      await wait(10);
      for (let hop = 0; hop < 50; hop++) await Promise.resolve();
      seen.push(clock.now());
    }
  };
  const done = loop();
  await clock.advance(30);
  expect(seen).toEqual([10, 20, 30]);
  expect(await clock.advanceToNext()).toBe(10);
  expect(seen).toEqual([10, 20, 30, 40]);
  await clock.advance(1_000);
  await done;
  expect(await clock.advanceToNext()).toBe(0);
});

test("a jump moves the wall time and no timer: a laptop that slept", async () => {
  const clock = new FakeClock({ startAt: 0 });
  let ran = 0;
  clock.setTimer(() => ran++, 1_000);
  clock.jump(600_000);
  await clock.settle();
  expect([clock.now(), ran, clock.nextTimerInMs]).toEqual([600_000, 0, 1_000]);
  await clock.advance(1_000);
  expect([clock.now(), ran]).toEqual([601_000, 1]);
  clock.jump(-3_600_000);
  expect(clock.now()).toBe(-2_999_000);
});

test("a timer that sets itself again without delay does not hold the clock for ever", async () => {
  const clock = new FakeClock();
  let ran = 0;
  const again = () => {
    ran++;
    clock.setTimer(again, 0);
  };
  again();
  await clock.advance(5);
  expect(ran).toBe(6);
});

test("what a callback throws comes out of advance, and the clock can be moved on", async () => {
  const clock = new FakeClock({ startAt: 0 });
  clock.setTimer(() => {
    throw new TypeError("from the callback");
  }, 10);
  await expect(clock.advance(50)).rejects.toThrow("from the callback");
  expect([clock.now(), clock.pendingTimers]).toEqual([10, 0]);
  await clock.advance(5);
  expect(clock.now()).toBe(15);
});

test("however the time is cut into pieces, each timer runs at its own time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
      async (delays, steps) => {
        const clock = new FakeClock({ startAt: 0 });
        const ran: number[] = [];
        for (const delay of delays) clock.setTimer(() => ran.push(clock.now()), delay);
        for (const step of steps) await clock.advance(step);
        const end = steps.reduce((sum, step) => sum + step, 0);
        expect(ran).toEqual(delays.filter((delay) => delay <= end).sort((a, b) => a - b));
        expect(clock.now()).toBe(end);
      },
    ),
    { numRuns: 60 },
  );
});
