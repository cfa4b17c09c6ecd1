import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { runModel } from "./run-model.js";
import { summaryOf } from "./summary.js";

/** A minute of `npm test`, the start and the settling included. */
const SECONDS = 45;

test.runIf(existsSync("/proc/self/environ"))(
  "clients, sessions, kills, restarts and cuts by chance: nothing lost, doubled, reordered, or acted on twice; one end each",
  { timeout: 240_000 },
  async () => {
    const seed = Date.now() % 2 ** 32;
    console.log(`model seed ${seed} (repeat with npm run test:model -- --seed ${seed})`);
    const outcome = await runModel({ seed, seconds: SECONDS });
    console.log(summaryOf(outcome));
    expect(outcome.faults).toEqual([]);
    expect(outcome.messages).toBeGreaterThan(0);
  },
);
