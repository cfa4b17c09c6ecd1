/**
 * `npm run bench [-- name …]`: our speed beside its limit and its peers, all in this run, on this machine.
 * `npm run bench:check [-- name …]` runs the measures that have bars, and fails when one is missed.
 * `npm run bench -- --draw <results.json>` measures nothing, and draws the pictures of the docs again.
 *
 * Absolute figures belong to the machine; the ratio to the limit is what can be compared.
 */
import { availableParallelism, loadavg } from "node:os";
import { judge, type Measure, run } from "./measure.js";
import { MEASURES } from "./measures/measures.js";
import { describeMachine, describeVerdict, drawFrom, printResult, type Ran, writeResults } from "./report.js";
import { ROLES } from "./roles/roles.js";

async function main(args: readonly string[]): Promise<void> {
  const [first, results] = args;
  if (first === "--draw" && results !== undefined) {
    drawFrom(results);
    return;
  }
  const isCheck = args.includes("--check");
  const names = args.filter((arg) => arg !== "--check");
  const chosen = MEASURES.filter(
    ({ name, bars, isOnDemand }) =>
      (names.length === 0 ? isOnDemand !== true : names.includes(name)) && (!isCheck || bars !== undefined),
  );
  if (chosen.length === 0 || names.some((name) => !MEASURES.some((measure) => measure.name === name))) {
    console.error(`Known measures: ${[...new Set(MEASURES.map(({ name }) => name))].join(", ")}.`);
    process.exitCode = 1;
    return;
  }
  warnWhenBusy();
  console.log(describeMachine());
  const all: Ran[] = [];
  for (const measure of chosen) {
    const ran = await runOne(measure, names.length > 0);
    if (ran !== undefined) all.push(ran);
  }
  console.log(`\nWritten to ${writeResults(all, names.length === 0 && !isCheck)}`);
  if (isCheck) report(all);
}

async function runOne(measure: Measure, isRequested: boolean): Promise<Ran | undefined> {
  const missing = measure.missing?.();
  if (missing !== undefined) {
    console.warn(`\n${measure.title}: skipped. ${missing}`);
    // A measure that was requested by name and cannot run is a failure; in a run of all it is skipped.
    if (isRequested) process.exitCode = 1;
    return undefined;
  }
  const result = await run(measure);
  const ran = { measure, result, verdicts: judge(measure, result.outcomes) };
  printResult(ran);
  return ran;
}

function report(all: readonly Ran[]): void {
  const verdicts = all.flatMap((ran) => ran.verdicts);
  // The bar of a peer that is absent is neither reached nor missed.
  const missed = verdicts.filter(({ isReached, reached }) => !isReached && !Number.isNaN(reached));
  const open = verdicts.filter(({ reached }) => Number.isNaN(reached));
  console.log(
    `\n${verdicts.length - missed.length - open.length} bars reached, ${missed.length} missed, ${open.length} without a peer`,
  );
  for (const verdict of missed) console.log(`  ${describeVerdict(verdict)}`);
  if (missed.length > 0) process.exitCode = 1;
}

/** Other work on the machine hits limit and contestant alike, but not evenly. */
function warnWhenBusy(): void {
  const [load = 0] = loadavg();
  const cores = availableParallelism();
  if (load <= cores / 2) return;
  console.warn(`This machine is busy: load ${load.toFixed(1)} on ${cores} cores. Take the figures with care.\n`);
}

const [flag, role = ""] = process.argv.slice(2);
if (flag === "--role") await ROLES.get(role)?.();
else await main(process.argv.slice(2));
