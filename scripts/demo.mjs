/**
 * `npm run demo`: everything from a clean clone to the main job (apps/examples/src/demo.ts).
 *
 * Options go after `--`: `--json` makes the last line a summary for machines, `--keep` leaves daemon and files in place, `--open` opens
 * the console of the daemon and keeps both until Ctrl-C; `--fleet` shows a fleet of three machines instead
 * (apps/examples/src/fleet-demo.ts).
 */
import { join } from "node:path";
import { buildPrograms } from "./build.mjs";
import { ROOT, run, seconds } from "./run.mjs";

const started = performance.now();
await buildPrograms("@daemon-sdk/examples");
const builtMs = performance.now() - started;
const args = process.argv.slice(2).filter((arg) => arg !== "--fleet");
const name = args.length === process.argv.length - 2 ? "demo.js" : "fleet-demo.js";
process.exitCode = await run(process.execPath, [join(ROOT, "apps", "examples", "dist", name), ...args]);
const allMs = performance.now() - started;
process.stderr.write(
  `From the command to its end: ${seconds(allMs)}, of which ${seconds(builtMs)} to install and build.\n`,
);
