/**
 * `npm run test:faults`: the scenarios of docs/guarantees.md, one after another, one line each, then `N passed, N failed`. See
 * README.md beside this file, or `--help`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LANE, Lane, playLane } from "./lane.js";
import { type FaultOptions, readOptions, USAGE } from "./options.js";
import { ROLES } from "./roles/roles.js";
import { type Outcome, runScenario } from "./run-scenario.js";
import { FAULT_IDS } from "./scenario.js";
import { SCENARIOS } from "./scenarios.js";
import { Watch } from "./watch.js";

const [flag, role = ""] = process.argv.slice(2);
if (flag !== "--role") await main();
else if (role === LANE) playLane(process.argv.slice(4));
else await ROLES.get(role)?.(process.argv.slice(4));

async function main(): Promise<void> {
  const options = wanted();
  if (options !== undefined) await runAll(options);
}

/** Undefined when the arguments ask for nothing to be run; that has been said then. */
function wanted(): FaultOptions | undefined {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === undefined) console.log(USAGE);
    return options;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function runAll(options: FaultOptions): Promise<void> {
  console.log(`seed ${options.seed} (repeat with --seed ${options.seed})`);
  const ids = chosen(options);
  // Side by side, not one in another: a scenario opens its own to other users.
  const directories = Array.from({ length: options.atOnce }, () => mkdtempSync(join(tmpdir(), "faults-")));
  const [first = ""] = directories;
  const outcomes =
    directories.length === 1 ? await runInTurn(ids, options, first) : await runAtOnce(ids, options, directories);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  conclude(outcomes);
}

async function runInTurn(ids: readonly string[], options: FaultOptions, directory: string): Promise<Outcome[]> {
  process.env.TMPDIR = directory;
  const watch = new Watch(directory);
  const outcomes: Outcome[] = [];
  for (const id of ids) {
    const outcome = await runScenario(id, SCENARIOS.get(id), options, watch);
    console.log(outcome.line);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** Each lane takes the next scenario when it is done with one. */
async function runAtOnce(
  ids: readonly string[],
  options: FaultOptions,
  directories: readonly string[],
): Promise<Outcome[]> {
  const waiting = [...ids];
  const outcomes: Outcome[] = [];
  const runLane = async (directory: string) => {
    await using lane = Lane.start(options, directory);
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const outcome = await lane.run(id);
      console.log(outcome.line);
      outcomes.push(outcome);
    }
  };
  await Promise.all(directories.map(runLane));
  return outcomes;
}

function chosen({ names, isSample }: FaultOptions): readonly string[] {
  if (names.length > 0) return FAULT_IDS.filter((id) => names.includes(id));
  return isSample ? FAULT_IDS.filter((id) => SCENARIOS.get(id)?.isQuick) : FAULT_IDS;
}

function conclude(outcomes: readonly Outcome[]): void {
  const idsOf = (state: Outcome["state"]) => outcomes.filter((one) => one.state === state).map(({ id }) => id);
  const [passed, failed, idle] = [idsOf("passed"), idsOf("failed"), idsOf("cannot run")];
  if (idle.length > 0) console.log(`cannot run here: ${idle.join(" ")}`);
  if (failed.length > 0) console.log(`failed: ${failed.join(" ")}`);
  console.log(`${passed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
