import { renameSync } from "node:fs";
import { basename, join } from "node:path";
import { buildSync } from "esbuild";
import { SOURCE_BUNDLE } from "./source-bundle.js";

const PACKAGE = join(import.meta.dirname, "..", "..");
/** Inside the package, because the native store stays outside of a bundle and is found from there. */
const CACHE = join(PACKAGE, "node_modules", ".cache", "programs");

/**
 * Bundles a program from its sources, for a process or a thread. Its file has one name, so that no run leaves another one.
 *
 * @param entry path within the package
 * @returns path of the CommonJS file
 */
export function bundledProgram(entry: string): string {
  const program = join(CACHE, `${basename(entry, ".ts")}.cjs`);
  // Whole at once: another file of tests may build or start it at the same time.
  const outfile = `${program}.${process.pid}`;
  buildSync({ ...SOURCE_BUNDLE, entryPoints: [entry], outfile, absWorkingDir: PACKAGE, logLevel: "warning" });
  renameSync(outfile, program);
  return program;
}
