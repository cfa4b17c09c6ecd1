import { expect, test } from "vitest";
import { MinuteRing } from "../../src/metrics/minute-ring.js";

test("an hour is kept by minutes, oldest first, and the one that runs is the last", () => {
  let now = 0;
  const ring = new MinuteRing({ now: () => now, rssBytes: () => 7 });
  for (let minute = 0; minute < 100; minute++) {
    ring.delivered(minute, 1);
    ring.turnEnded();
    now += 60_000;
    ring.turn();
  }
  now += 5_000;
  ring.delivered(1_000, 4);
  const minutes = ring.minutes();
  expect(minutes).toHaveLength(60);
  expect(minutes[0]).toMatchObject({ at: 41 * 60_000, durationMs: 60_000, events: 41, turns: 1, rssBytes: 7 });
  expect(minutes.at(-1)).toMatchObject({ at: 100 * 60_000, durationMs: 5_000, events: 1_000, turns: 0 });
});

test("latencies are those of the minute alone, to a hundredth, and absent without entries", () => {
  const ring = new MinuteRing({ now: () => 0 });
  for (let ms = 1; ms <= 100; ms++) ring.delivered(1, ms);
  ring.lagged(30.4);
  ring.lagged(2);
  const [first] = ring.minutes();
  expect(first?.latencyP50Ms).toBeCloseTo(50, 0);
  expect(first?.latencyP99Ms).toBeCloseTo(99, 0);
  expect(first?.loopLagMs).toBe(30);
  ring.turn();
  const second = ring.minutes().at(-1);
  expect(second).not.toHaveProperty("latencyP50Ms");
  expect(second).not.toHaveProperty("loopLagMs");
});
