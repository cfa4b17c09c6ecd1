/**
 * `npm run test:model`: the model-based random test of docs/guarantees.md. Clients, sessions, kills, restarts and broken links by
 * chance, then the books. `--seed N` repeats the choices, `--minutes N` says how long (default 10), `--follow` takes the model of those
 * who follow sessions.
 */
import { parseArgs } from "node:util";
import { runFollowModel } from "./follow/run-follow-model.js";
import { runModel } from "./run-model.js";
import { summaryOf } from "./summary.js";

const { values } = parseArgs({
  options: { seed: { type: "string" }, minutes: { type: "string", default: "10" }, follow: { type: "boolean" } },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 32);
const seconds = Number(values.minutes) * 60;
if (!Number.isInteger(seed) || !(seconds > 0)) {
  console.error("Usage: npm run test:model -- [--follow] [--seed <whole number>] [--minutes <number>]");
  process.exit(2);
}
console.log(`seed ${seed} (repeat with --seed ${seed})`);
const outcome = await (values.follow ? runFollowModel : runModel)({ seed, seconds });
console.log(summaryOf(outcome));
for (const fault of outcome.faults) console.log(`FAULT ${fault}`);
console.log(outcome.faults.length === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exitCode = outcome.faults.length === 0 ? 0 : 1;
