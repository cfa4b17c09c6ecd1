/**
 * `npm run bench [-- name …]`: our speed beside its limit, both in this run, on this machine.
 *
 * Absolute figures belong to the machine; the ratio to the limit is what can be compared.
 */
import { availableParallelism, loadavg } from "node:os";
import { type Measure, type Outcome, run } from "./measure.js";
import { coldStart } from "./measures/cold-start.js";
import { relayLatency, relayMemory, relayThroughput } from "./measures/relay.js";
import { roundTrip } from "./measures/round-trip.js";
import { routing } from "./measures/routing.js";
import { wholePath } from "./measures/whole-path.js";
import { describeMachine, printOutcomes, writeResults } from "./report.js";
import { ROLES } from "./roles/roles.js";

const MEASURES: readonly Measure[] = [
  wholePath,
  routing,
  roundTrip,
  coldStart,
  relayThroughput,
  relayLatency,
  relayMemory,
];

async function main(names: readonly string[]): Promise<void> {
  const chosen = MEASURES.filter(({ name }) => names.length === 0 || names.includes(name));
  if (chosen.length === 0 || names.some((name) => !MEASURES.some((measure) => measure.name === name))) {
    console.error(`Known measures: ${[...new Set(MEASURES.map(({ name }) => name))].join(", ")}.`);
    process.exitCode = 1;
    return;
  }
  warnWhenBusy();
  console.log(describeMachine());
  const outcomes: Outcome[] = [];
  for (const measure of chosen) {
    const missing = measure.missing?.();
    if (missing !== undefined) {
      console.warn(`\n${measure.title}: skipped. ${missing}`);
      // A measure that was requested by name and cannot run is a failure; in a run of all it is skipped.
      if (names.length > 0) process.exitCode = 1;
      continue;
    }
    const result = await run(measure);
    printOutcomes(measure, result);
    outcomes.push(...result);
  }
  console.log(`\nWritten to ${writeResults(outcomes)}`);
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
