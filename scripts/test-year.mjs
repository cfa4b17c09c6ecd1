/** `npm run test:year [-- --weeks N --sessions N --dir D --until N --write]`: a year of use on a fake clock (test/year/main.ts). */
import { join } from "node:path";
import { ROOT, run } from "./run.mjs";

// esbuild is only there after the set-up.
const { build } = await import("esbuild");
// Beside the native library, which a package of ours alone can load.
const directory = join(ROOT, "packages", "local-daemon", "node_modules", ".cache", "year");
const sources = join(ROOT, "packages", "local-daemon", "src");
await build({
  entryPoints: {
    year: join(ROOT, "test", "year", "main.ts"),
    "checkpoint-worker": join(sources, "storage", "checkpoint-worker.ts"),
    "search-worker": join(sources, "search", "search-worker.ts"),
  },
  outdir: directory,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  conditions: ["@daemon-sdk/source"],
  external: ["@photostructure/sqlite", "@daemon-sdk/http"],
  define: { "import.meta.url": "__file" },
  banner: { js: "const __file = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: "error",
});
process.exitCode = await run(process.execPath, [join(directory, "year.cjs"), ...process.argv.slice(2)]);
