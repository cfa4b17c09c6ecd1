/**
 * `npm run demo`: everything from a clean clone to the main job (apps/examples/src/demo.ts).
 *
 * Options go after `--`: `--json` makes the last line a summary for machines, `--keep` leaves daemon and files in place, `--open` opens
 * the console of the daemon and keeps both until Ctrl-C.
 */
import { join } from "node:path";
import { build } from "./build.mjs";
import { ROOT, run } from "./run.mjs";

await build();
const program = join(ROOT, "apps", "examples", "dist", "demo.js");
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)]);
