import { ConnectionError, MachineType } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { dialWithRetry, RETRY_SCHEDULES, type RetryClock, type RetrySchedule, retryDelayMs } from "../src/index.js";

const schedule: RetrySchedule = { attemptTimeoutMs: 50, retries: 3, initialDelayMs: 10, maxDelayMs: 30, jitter: 0 };

/** A clock that stands still until told to go on. */
class FakeClock implements RetryClock {
  readonly waits: { delayMs: number; callback: () => void }[] = [];
  random = () => 0.5;

  after(delayMs: number, callback: () => void): () => void {
    const wait = { delayMs, callback };
    this.waits.push(wait);
    return () => {
      const index = this.waits.indexOf(wait);
      if (index >= 0) this.waits.splice(index, 1);
    };
  }

  /** Ends the newest wait, once there is one. */
  async pass(): Promise<number> {
    while (this.waits.length === 0) await Promise.resolve();
    const wait = this.waits.pop();
    wait?.callback();
    return wait?.delayMs ?? Number.NaN;
  }
}

const refused = new ConnectionError("CONNECTION_FAILED", "refused");

/** Lets what can run without time run. */
const settle = () => new Promise(setImmediate);

test("the numbers are those of the wire's own clients", () => {
  const plain = (type: MachineType) =>
    Array.from({ length: RETRY_SCHEDULES[type].retries }, (_, retry) =>
      retryDelayMs(RETRY_SCHEDULES[type], retry, 0.5),
    );
  expect(plain(MachineType.Local)).toEqual([500, 1000, 2000, 4000, 5000]);
  expect(plain(MachineType.Ephemeral)).toEqual([500, 1000, 2000, 4000, 5000]);
  expect(plain(MachineType.Computer)).toEqual([2000, 4000, 8000, ...Array.from({ length: 7 }, () => 10_000)]);
  expect(Object.values(RETRY_SCHEDULES).map((one) => one.attemptTimeoutMs)).toEqual([10_000, 5_000, 45_000, 10_000]);
});

test("a wait stays within its jitter, whatever the schedule", () => {
  const schedules = fc.record({
    attemptTimeoutMs: fc.constant(1),
    retries: fc.nat(20),
    initialDelayMs: fc.integer({ min: 1, max: 5000 }),
    maxDelayMs: fc.integer({ min: 1, max: 60_000 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(schedules, fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (one, retry, chance) => {
      const delay = retryDelayMs(one, retry, chance);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(Math.ceil(one.maxDelayMs * (1 + one.jitter)));
    }),
  );
});

test("attempts go on, with the waits of the schedule, until one succeeds", async () => {
  const clock = new FakeClock();
  const told: number[] = [];
  let attempts = 0;
  const result = dialWithRetry(
    async () => {
      if (++attempts < 4) throw refused;
      return "open";
    },
    schedule,
    { clock, onRetry: ({ attempt, error, delayMs }) => error === refused && told.push(attempt, delayMs) },
  );
  const waits: number[] = [];
  for (let retry = 0; retry < 3; retry++) {
    await settle();
    waits.push(await clock.pass());
  }
  expect(await result).toBe("open");
  expect(waits).toEqual([10, 20, 30]);
  expect(told).toEqual([1, 10, 2, 20, 3, 30]);
  expect(clock.waits).toEqual([]);
});

test("after the last retry the last error is thrown", async () => {
  let attempts = 0;
  const failing = dialWithRetry(
    async () => {
      throw new ConnectionError("CONNECTION_FAILED", `attempt ${++attempts}`);
    },
    { ...schedule, initialDelayMs: 0, maxDelayMs: 0 },
  );
  await expect(failing).rejects.toThrow("attempt 4");
});

test("an error that trying again cannot mend is thrown at once", async () => {
  for (const error of [new ConnectionError("AUTH_REJECTED", "no"), new TypeError("a bug")]) {
    let attempts = 0;
    const failing = dialWithRetry(async () => {
      attempts++;
      throw error;
    }, schedule);
    await expect(failing).rejects.toBe(error);
    expect(attempts).toBe(1);
  }
});

test("an attempt that takes too long is aborted with CONNECT_TIMEOUT, which is tried again", async () => {
  const clock = new FakeClock();
  let attempts = 0;
  const result = dialWithRetry(
    (signal) => {
      if (++attempts === 2) return Promise.resolve("open");
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
    schedule,
    { clock },
  );
  expect(await clock.pass()).toBe(50);
  await settle();
  expect(await clock.pass()).toBe(10);
  expect(await result).toBe("open");
});

test("an abort ends the wait between attempts with the signal's reason", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const failing = dialWithRetry(() => Promise.reject(refused), schedule, { clock, signal: controller.signal });
  await settle();
  expect(clock.waits).toHaveLength(1);
  const reason = new RangeError("enough");
  controller.abort(reason);
  await expect(failing).rejects.toBe(reason);
  expect(clock.waits).toEqual([]);
});

test("an abort during an attempt reaches the attempt, and no other follows", async () => {
  const controller = new AbortController();
  let attempts = 0;
  const failing = dialWithRetry(
    (signal) => {
      attempts++;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(refused));
      });
    },
    schedule,
    { clock: new FakeClock(), signal: controller.signal },
  );
  controller.abort();
  await expect(failing).rejects.toMatchObject({ name: "AbortError" });
  expect(attempts).toBe(1);
});
