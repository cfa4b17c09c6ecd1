import { expect, test } from "vitest";
import { BackgroundSlices } from "../../src/loop/background-slices.js";

/** Work of so many slices; notes each of them. */
async function works(background: BackgroundSlices, slices: number, onSlice: () => void): Promise<void> {
  for (let slice = 0; slice < slices; slice += 1) {
    await background.next();
    onSlice();
  }
}

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

test("a turn of the loop does one slice, however much work there is, and each work has its turn", async () => {
  const background = new BackgroundSlices();
  const done: string[] = [];
  let most = 0;
  let isOver = false;
  const all = Promise.all(["a", "b", "c"].map((name) => works(background, 2, () => done.push(name)))).then(() => {
    isOver = true;
  });
  while (!isOver) {
    const before = done.length;
    await turnOfLoop();
    most = Math.max(most, done.length - before);
  }
  await all;
  expect(most).toBe(1);
  expect(done).toEqual(["a", "b", "c", "a", "b", "c"]);
});

test("after a slice the loop is free for as long as that took", async () => {
  const background = new BackgroundSlices();
  const begun: number[] = [];
  await works(background, 3, () => {
    const now = performance.now();
    begun.push(now);
    while (performance.now() < now + 8);
  });
  for (const [at, start] of begun.slice(1).entries()) expect(start - (begun[at] ?? 0)).toBeGreaterThanOrEqual(15);
});

test("work that comes later, when none is left, begins as well", async () => {
  const background = new BackgroundSlices();
  const done: string[] = [];
  await works(background, 1, () => done.push("early"));
  for (let turn = 0; turn < 5; turn += 1) await turnOfLoop();
  await works(background, 1, () => done.push("late"));
  expect(done).toEqual(["early", "late"]);
});
