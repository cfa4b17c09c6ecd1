import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { timeLimit } from "../../src/index.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => signal.addEventListener("abort", () => resolve(signal.reason), { once: true }));

test("a limit aborts when its time is over, and says so", async () => {
  const { signal } = timeLimit(1);
  expect(await aborted(signal)).toMatchObject({ name: "TimeoutError", message: "The time of 1 ms is over." });
});

test("a limit aborts with the signal that it was made with, now or later, for its reason", async () => {
  const controller = new AbortController();
  const limit = timeLimit(60_000, controller.signal);
  const end = aborted(limit.signal);
  controller.abort("later");
  expect(await end).toBe("later");
  limit.end();
  expect(timeLimit(60_000, AbortSignal.abort("before")).signal.reason).toBe("before");
});

test("a limit that was ended aborts no more", async () => {
  const controller = new AbortController();
  const limit = timeLimit(1, controller.signal);
  limit.end();
  controller.abort();
  await aborted(timeLimit(5).signal);
  expect(limit.signal.aborted).toBe(false);
});

test("a wait that nothing else refers to ends, whatever the collector takes", async () => {
  let ended = 0;
  const count = () => {
    ended += 1;
  };
  for (let index = 0; index < 100; index++)
    timeLimit(20, new AbortController().signal).signal.addEventListener("abort", count);
  // A weak reference holds what it was made of until the end of the job.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  await aborted(timeLimit(60).signal);
  expect(ended).toBe(100);
});
