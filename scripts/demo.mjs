/**
 * `npm run demo`: everything from a clean clone to the main job (apps/examples/src/demo.ts).
 *
 * Options go after `--`: `--json` makes the last line a summary for machines, `--keep` leaves daemon and files in place, `--open` opens
 * the console of the daemon and keeps both until Ctrl-C; `--fleet` shows a fleet of three machines instead
 * (apps/examples/src/fleet-demo.ts).
 */
import { join } from "node:path";
import { build } from "./build.mjs";
import { ROOT, run } from "./run.mjs";

await build();
const args = process.argv.slice(2).filter((arg) => arg !== "--fleet");
const name = args.length === process.argv.length - 2 ? "demo.js" : "fleet-demo.js";
process.exitCode = await run(process.execPath, [join(ROOT, "apps", "examples", "dist", name), ...args]);
