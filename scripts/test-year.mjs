/**
 * `npm run test:year [-- --weeks N --sessions N --dir D --until N --write]`: a year of use on a fake clock (test/year/main.ts).
 *
 * `--built` leaves out the build, for those who have just made one.
 */
import { join } from "node:path";
import { build } from "./build.mjs";
import { ROOT, run } from "./run.mjs";

const args = process.argv.slice(2).filter((arg) => arg !== "--built");
if (args.length === process.argv.length - 2) await build();
const { build: bundle } = await import("esbuild");
// Beside the native library, which a package of ours alone can load.
const program = join(ROOT, "packages", "local-daemon", "node_modules", ".cache", "year.cjs");
await bundle({
  entryPoints: [join(ROOT, "test", "year", "main.ts")],
  outfile: program,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  conditions: ["@daemon-sdk/source"],
  external: ["@photostructure/sqlite", "@daemon-sdk/http"],
  define: { "import.meta.url": "__file" },
  banner: { js: "const __file = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: "warning",
});
process.exitCode = await run(process.execPath, ["--expose-gc", program, ...args]);
