import { readFileSync, rmSync } from "node:fs";
import { defineConfig, type Options } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const define = { __LOCAL_DAEMON_VERSION__: JSON.stringify(version) };

// Both builds write here, at the same time: neither can be the one that cleans.
rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });

/**
 * A program is one CommonJS file with everything in it but the native store: loading one file instead of a tree of
 * modules takes 50 ms off a cold start.
 */
function programBuild(entry: Record<string, string>, overrides: Options = {}): Options {
  return {
    entry,
    format: ["cjs"],
    target: "node20",
    platform: "node",
    outExtension: () => ({ js: ".cjs" }),
    dts: false,
    sourcemap: false,
    clean: false,
    splitting: false,
    treeshake: true,
    shims: true,
    define,
    noExternal: [/^(?!@photostructure\/sqlite$)/],
    external: ["@photostructure/sqlite"],
    ...overrides,
  };
}

export default defineConfig([
  libraryBuild(["src/index.ts", "src/server.ts"], { define, shims: true, clean: false }),
  programBuild({
    bin: "src/bin.ts",
    daemon: "src/daemon-main.ts",
    "workspace-agent": "src/workspace-agent/main.ts",
  }),
]);
