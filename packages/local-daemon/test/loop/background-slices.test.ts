import { expect, test } from "vitest";
import { BackgroundSlices } from "../../src/loop/background-slices.js";

/** Work of so many slices; notes each of them. */
async function works(background: BackgroundSlices, name: string, slices: number, done: string[]): Promise<void> {
  for (let slice = 0; slice < slices; slice += 1) {
    await background.next();
    done.push(name);
  }
}

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

test("a turn of the loop does one slice, however much work there is, and each work has its turn", async () => {
  const background = new BackgroundSlices();
  const done: string[] = [];
  const all = Promise.all(["a", "b", "c"].map((name) => works(background, name, 2, done)));
  for (let turn = 1; turn <= 6; turn += 1) {
    await turnOfLoop();
    expect(done).toHaveLength(turn);
  }
  await all;
  expect(done).toEqual(["a", "b", "c", "a", "b", "c"]);
});

test("nothing is scheduled while there is no work, and later work begins again", async () => {
  const background = new BackgroundSlices();
  const done: string[] = [];
  await works(background, "early", 1, done);
  await turnOfLoop();
  await works(background, "late", 1, done);
  expect(done).toEqual(["early", "late"]);
});
