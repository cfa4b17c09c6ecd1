import type { Options } from "tsup";

/** Programs that are run from a clone need no declaration files, which take most of a build's time (`buildPrograms`). */
const hasTypes = process.env.DAEMON_SDK_BUILD !== "programs";

/** What every package builds: ESM and CommonJS with types per condition, unminified, with source maps. */
export function libraryBuild(entry: string[] | Record<string, string>, overrides: Options = {}): Options {
  return {
    entry,
    format: ["esm", "cjs"],
    target: "node20",
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    treeshake: true,
    ...overrides,
    ...(hasTypes ? {} : { dts: false }),
    esbuildOptions(options, context) {
      // Siblings stay external, so the source condition is never followed in a build.
      options.conditions = [];
      // Jest and others run CommonJS in a context that has `require` and no `import()`.
      if (context.format === "cjs") options.supported = { "dynamic-import": false };
      overrides.esbuildOptions?.(options, context);
    },
  };
}

/**
 * A build for browsers, one file for each of the source. What a page loads first is cut along files by the page's own bundler: of a
 * file that is needed in part at first, all that is ever needed comes at first.
 */
export function fileByFile(entry: string[], overrides: Options = {}): Options {
  return libraryBuild(entry, {
    clean: false,
    outDir: "dist/browser",
    format: ["esm"],
    platform: "browser",
    bundle: false,
    splitting: false,
    treeshake: false,
    ...overrides,
  });
}
