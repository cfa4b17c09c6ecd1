import { expect, test, vi } from "vitest";
import { LoopDebt } from "../../src/connection/loop-debt.js";
import { LoopShares } from "../../src/connection/loop-shares.js";
import { WriteQueue } from "../../src/connection/write-queue.js";
import { SERVING_LIMITS } from "../../src/limits/index.js";

const { debtMs, debtMaxMs, debtShare, debtQuietMs, debtWorkMs } = SERVING_LIMITS;

function debtAt() {
  const clock = { now: 0, othersAt: 0 };
  return { clock, debt: new LoopDebt({ usedByOthersAt: () => clock.othersAt, now: () => clock.now }) };
}

test("what holds the loop for long is paid back while others are served", () => {
  const { clock, debt } = debtAt();
  debt.add(debtMs);
  expect(debt.isLarge).toBe(false);
  debt.add(10);
  expect(debt.isLarge).toBe(true);
  [clock.now, clock.othersAt] = [9 * debtShare, 9 * debtShare];
  expect(debt.isLarge).toBe(true);
  [clock.now, clock.othersAt] = [10 * debtShare, 10 * debtShare];
  expect(debt.isLarge).toBe(false);
});

test("more than a bound is never owed, and short work is no debt", () => {
  const { clock, debt } = debtAt();
  for (let count = 0; count < 1_000; count++) debt.add(debtWorkMs - 0.1);
  expect(debt.isLarge).toBe(false);
  for (let count = 0; count < 10; count++) debt.add(debtMaxMs);
  clock.now = (debtMaxMs - debtMs) * debtShare;
  clock.othersAt = clock.now;
  expect(debt.isLarge).toBe(false);
});

test("alone a key owes nothing", () => {
  const { clock, debt } = debtAt();
  debt.add(debtMaxMs);
  expect(debt.isLarge).toBe(true);
  clock.now = debtQuietMs + 1;
  expect(debt.isLarge).toBe(false);
});

test("a person who only watches is served as well: a key that owes much waits", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "setImmediate"] });
  try {
    const shares = new LoopShares();
    const transport = { bufferedBytes: 0, onWritable: undefined, send: () => true };
    const stream = new WriteQueue({ transport, onSlow: () => {} });
    stream.use(shares.of(undefined));
    shares.of("key").owe(debtMaxMs);
    for (let event = 0; event < 4; event++) {
      stream.send("an event");
      await vi.advanceTimersByTimeAsync(debtQuietMs);
      expect(shares.owes("key")).toBe(true);
    }
    await vi.advanceTimersByTimeAsync(debtQuietMs + 1);
    expect(shares.owes("key")).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});

test("a key that owes much waits, and the person does not", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "setImmediate"] });
  try {
    const shares = new LoopShares();
    shares.of("key").owe(debtMaxMs);
    shares.of(undefined).owe(debtMaxMs);
    shares.of(undefined).run(() => {});
    expect([shares.of("key").isSpent, shares.owes("key"), shares.owes(undefined)]).toEqual([true, true, false]);
    const handled: string[] = [];
    shares.of("key").wait(() => handled.push("message") === 0);
    shares.oncePaid("key", () => handled.push("paid"));
    await vi.advanceTimersByTimeAsync(debtQuietMs / 2);
    expect(handled).toEqual([]);
    // The person has gone quiet.
    await vi.advanceTimersByTimeAsync(debtQuietMs);
    expect(new Set(handled)).toEqual(new Set(["message", "paid"]));
  } finally {
    vi.useRealTimers();
  }
});
