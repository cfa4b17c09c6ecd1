/** `npm run bench [-- name …]`: our speed beside its limit, measured in the same run (bench/bench.ts). */
import { build } from "./build.mjs";
import { runTypeScript } from "./typescript-program.mjs";

await build();
process.exitCode = await runTypeScript("bench/bench.ts", process.argv.slice(2));
