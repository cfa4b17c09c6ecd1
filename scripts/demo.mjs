/**
 * `npm run demo`: everything from a clean clone to the main job (apps/examples/src/demo.ts).
 *
 * Options go after `--`: `--json` makes the last line a summary for machines, `--keep` leaves daemon and files in place, `--open` opens
 * the console of the daemon and keeps both until Ctrl-C.
 */
import { join } from "node:path";
import { buildPrograms } from "./build.mjs";
import { ROOT, run, seconds } from "./run.mjs";

const started = performance.now();
await buildPrograms("@daemon-sdk/examples");
const program = join(ROOT, "apps", "examples", "dist", "demo.js");
const builtMs = performance.now() - started;
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)]);
const allMs = performance.now() - started;
process.stderr.write(
  `From the command to its end: ${seconds(allMs)}, of which ${seconds(builtMs)} to install and build.\n`,
);
