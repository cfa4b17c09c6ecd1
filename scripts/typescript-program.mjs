/** Runs a TypeScript program of this repository: Node 20 cannot, so esbuild strips the types first. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { ROOT, run } from "./run.mjs";

/**
 * Bundles the program at `entry` (packages of the root stay outside, so the built `dist` of ours is what runs) and runs it with
 * `args`. Resolves to its exit code.
 */
export async function runTypeScript(entry, args) {
  // esbuild is only there after the set-up.
  const { build } = await import("esbuild");
  const directory = join(ROOT, "node_modules", ".cache", "daemon-sdk");
  mkdirSync(directory, { recursive: true });
  const program = join(directory, `${basename(entry, ".ts")}.mjs`);
  // Whole at once, for it may be run several times at a time.
  const outfile = `${program}.${process.pid}`;
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile,
    bundle: true,
    plugins: [ROOT_PACKAGES_OUTSIDE],
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: "inline",
    logLevel: "warning",
  });
  renameSync(outfile, program);
  return run(process.execPath, ["--enable-source-maps", program, ...args]);
}

/** What only a package of the workspace has, such as for its tests, cannot be found from the program's place, and goes into it. */
const ROOT_PACKAGES_OUTSIDE = {
  name: "root-packages-outside",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind === "entry-point" || path.startsWith("node:")) return undefined;
      const [scope = "", name = ""] = path.split("/");
      const folder = scope.startsWith("@") ? join(scope, name) : scope;
      return existsSync(join(ROOT, "node_modules", folder)) ? { path, external: true } : undefined;
    });
  },
};
