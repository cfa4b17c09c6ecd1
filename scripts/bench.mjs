/**
 * `npm run bench [-- name …]`: our speed beside its limit and its peers, measured in the same run (bench/bench.ts).
 * `npm run bench:check` is the same with `--check`: it fails when a bar is missed.
 *
 * The published peers are installed on demand, outside the workspace and without their scripts, at the versions that their folders
 * pin. One that cannot be installed is named in the tables.
 */
import { join } from "node:path";
import { build } from "./build.mjs";
import { installPeers } from "./interop-peers.mjs";
import { ROOT } from "./run.mjs";
import { runTypeScript } from "./typescript-program.mjs";

await build();
for (const folder of [join(ROOT, "bench", "peers"), join(ROOT, "test", "interop", "relay")]) {
  try {
    await installPeers(folder);
  } catch (error) {
    console.warn(`Some peers are missing: ${error.message}`);
  }
}
process.exitCode = await runTypeScript("bench/bench.ts", process.argv.slice(2));
