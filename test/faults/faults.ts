/**
 * `npm run test:faults [-- id …] [--seed n] [--scale x] [--sample] [--part k/n] [--minutes n]`: the 49 scenarios of docs/guarantees.md,
 * one after another, one line each, then `N passed, N failed`. See README.md beside this file.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROLES } from "./roles/roles.js";
import { type Outcome, runScenario } from "./run-scenario.js";
import { FAULT_IDS } from "./scenario.js";
import { SCENARIOS } from "./scenarios.js";
import { Watch } from "./watch.js";

/** Sizes of the sample in `npm test`, as a share of the full ones. */
const SAMPLE_SCALE = 0.05;
const SOAK_MINUTES = 3;

const [flag, role = ""] = process.argv.slice(2);
if (flag === "--role") await ROLES.get(role)?.(process.argv.slice(4));
else await main();

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      scale: { type: "string" },
      minutes: { type: "string" },
      sample: { type: "boolean" },
      part: { type: "string" },
    },
  });
  const ids = partOf(chosen(positionals, values.sample === true), values.part);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const scale = Number(values.scale ?? (values.sample ? SAMPLE_SCALE : 1));
  console.log(`seed ${seed} (repeat with --seed ${seed})`);

  const directory = mkdtempSync(join(tmpdir(), "faults-"));
  process.env.TMPDIR = directory;
  const watch = new Watch(directory);
  const outcomes: Outcome[] = [];
  for (const id of ids) {
    const options = { seed, scale, minutes: Number(values.minutes ?? SOAK_MINUTES) };
    const outcome = await runScenario(id, SCENARIOS.get(id), options, watch);
    console.log(outcome.line);
    outcomes.push(outcome);
  }
  rmSync(directory, { recursive: true, force: true });
  conclude(outcomes);
}

function chosen(names: readonly string[], isSample: boolean): readonly string[] {
  const unknown = names.filter((name) => !FAULT_IDS.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(", ")}. Known: ${FAULT_IDS.join(" ")}.`);
    process.exit(2);
  }
  if (names.length > 0) return FAULT_IDS.filter((id) => names.includes(id));
  return isSample ? FAULT_IDS.filter((id) => SCENARIOS.get(id)?.isQuick) : FAULT_IDS;
}

/** The k-th of n equal parts. */
function partOf(ids: readonly string[], part = "1/1"): readonly string[] {
  const [which = 1, count = 1] = part.split("/").map(Number);
  return ids.filter((_id, index) => index % count === which - 1);
}

function conclude(outcomes: readonly Outcome[]): void {
  const idsOf = (state: Outcome["state"]) => outcomes.filter((one) => one.state === state).map(({ id }) => id);
  const [passed, failed, idle] = [idsOf("passed"), idsOf("failed"), idsOf("cannot run")];
  if (idle.length > 0) console.log(`cannot run here: ${idle.join(" ")}`);
  if (failed.length > 0) console.log(`failed: ${failed.join(" ")}`);
  console.log(`${passed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
