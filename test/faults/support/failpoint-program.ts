import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, stop } from "esbuild";

/** A daemon that can be told where to die. */
export interface FailpointProgram extends Disposable {
  /** `node <path>`, with `DAEMON_TEST_FAILPOINT=<name>[:n]`: killed at the n-th pass of that place. */
  readonly path: string;
}

/** Builds the daemon with its failpoints, which the published one does not have. Takes about half a second. */
export async function failpointProgram(): Promise<FailpointProgram> {
  // Programs are started in the root of the repository; inside the package its dependencies are found.
  const root = join(process.cwd(), "packages", "local-daemon");
  const folder = mkdtempSync(join(root, "node_modules", "failpoints-"));
  const path = join(folder, "daemon.cjs");
  await build({
    absWorkingDir: root,
    entryPoints: [join(root, "src", "daemon-main.ts")],
    outfile: path,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    conditions: ["@daemon-sdk/source"],
    external: ["@photostructure/sqlite"],
    define: { "import.meta.url": "__filename_url", __DAEMON_FAILPOINTS__: "true" },
    banner: { js: "const __filename_url = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: "error",
  });
  // The builder is a process, which would stay as long as this one.
  await stop();
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
