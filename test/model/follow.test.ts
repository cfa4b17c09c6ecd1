import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { runFollowModel } from "./follow/run-follow-model.js";
import { summaryOf } from "./summary.js";

const SECONDS = 5;

test.runIf(existsSync("/proc/self/environ"))(
  "whoever follows gets the same events at the same positions, none twice, none missing: any cut, any restart, any position, and by Last-Event-ID",
  { timeout: 240_000 },
  async () => {
    const seed = Date.now() % 2 ** 32;
    console.log(`follow model seed ${seed} (repeat with npm run test:model -- --follow --seed ${seed})`);
    const outcome = await runFollowModel({ seed, seconds: SECONDS });
    console.log(summaryOf(outcome));
    expect(outcome.faults).toEqual([]);
    expect(outcome.messages).toBeGreaterThan(0);
  },
);
