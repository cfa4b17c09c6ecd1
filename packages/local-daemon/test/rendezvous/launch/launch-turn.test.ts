import { existsSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROCESS_LIMITS } from "../../../src/limits/process-limits.js";
import { LaunchTurn } from "../../../src/rendezvous/launch/launch-turn.js";
import { tempHome } from "../temp-home.js";

function place() {
  const home = tempHome();
  mkdirSync(home.state, { mode: 0o700 });
  return { home, path: join(home.state, "launching"), turns: [new LaunchTurn(home.state), new LaunchTurn(home.state)] };
}

test("of many who want to launch, one may, until it is done", async () => {
  const { home, path, turns } = place();
  using _home = home;
  const taken = await Promise.all([...turns, ...turns].map((turn) => turn.take()));
  expect(taken.filter(Boolean)).toHaveLength(2);
  const [mine, other] = (await turns[0]?.take()) ? turns : [...turns].reverse();
  expect(await Promise.all([mine?.isFree(), other?.isFree()])).toEqual([true, false]);
  await other?.release();
  expect(existsSync(path)).toBe(true);
  await mine?.release();
  expect(await other?.isFree()).toBe(true);
  expect(await other?.take()).toBe(true);
});

test("asked again while it finds out, it answers the same, and does not clear away its own file", async () => {
  const { home, path, turns } = place();
  using _home = home;
  for (let round = 0; round < 50; round++) {
    const heard = await Promise.all(Array.from({ length: 4 }, () => turns[0]?.take()));
    expect(heard).toEqual([true, true, true, true]);
    expect(existsSync(path)).toBe(true);
    await turns[0]?.release();
  }
});

test.each([-1, 1])("the turn of a program that was killed passes on, whatever the clock says (× %d)", async (sign) => {
  const { home, path, turns } = place();
  using _home = home;
  await turns[0]?.take();
  const then = new Date(Date.now() + sign * (PROCESS_LIMITS.launchTurnMs + 60_000));
  utimesSync(path, then, then);
  expect(await turns[1]?.isFree()).toBe(true);
  // The first look clears it away.
  await turns[1]?.take();
  expect(await turns[1]?.take()).toBe(true);
});

test("where the turn cannot be noted everybody may launch: the launch tells what is wrong with the disk", async () => {
  const { home } = place();
  using _home = home;
  expect(await new LaunchTurn(join(home.state, "not-there")).take()).toBe(true);
});
