import type { Options } from "tsup";

/** What every package builds: ESM and CommonJS with types per condition, unminified, with source maps. */
export function libraryBuild(entry: string[], overrides: Options = {}): Options {
  return {
    entry,
    format: ["esm", "cjs"],
    target: "node20",
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    treeshake: true,
    esbuildOptions(options) {
      // Siblings stay external, so the source condition is never followed in a build.
      options.conditions = [];
    },
    ...overrides,
  };
}
