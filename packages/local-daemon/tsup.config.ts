import { readFileSync, rmSync } from "node:fs";
import { defineConfig, type Options } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
// Tests build bundles of their own in which failpoints act.
const define = { __LOCAL_DAEMON_VERSION__: JSON.stringify(version), __DAEMON_FAILPOINTS__: "false" };

// Both builds write here, at the same time: neither can be the one that cleans.
rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });

/**
 * A program is one CommonJS file with everything in it that a start needs, but the native store: loading one file instead
 * of a tree of modules takes 50 ms off a cold start. What writes the log, and the API of OpenTelemetry, are loaded when
 * they are needed, from files of their own.
 */
function programBuild(entry: Record<string, string>): Options {
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
    shims: true,
    define,
    esbuildOptions(options) {
      // All that is loaded later is CommonJS. By `require` it is not parsed for the names of its exports first, which takes 15 ms of a start.
      options.supported = { "dynamic-import": false };
      // Compiling the text is a fifth of a cold start. Names stay, so that a stack trace still tells where.
      options.minifyWhitespace = true;
      options.minifySyntax = true;
      // jsonc-parser's other form requires its parts in a way that cannot be bundled.
      options.mainFields = ["module", "main"];
    },
    // What is inside, for the licences in THIRD-PARTY-NOTICES (scripts/notices.mjs); no tarball has it.
    metafile: true,
    // The last one is for links of `wss:`, which these programs do not make.
    noExternal: [/^(?!@photostructure\/sqlite$|@daemon-sdk\/(http|fleet)|https-proxy-agent$)/],
    external: ["@photostructure/sqlite", "@daemon-sdk/http", "@daemon-sdk/fleet", "https-proxy-agent"],
    esbuildPlugins: [
      {
        name: "beside",
        setup({ onResolve }) {
          onResolve({ filter: /\/pino-log\.js$/ }, ({ kind }) =>
            kind === "dynamic-import" ? { path: "./pino-log.cjs", external: true } : undefined,
          );
          // Loaded only where an SDK of OpenTelemetry was registered; any copy of the API reaches it.
          onResolve({ filter: /^@opentelemetry\/api$/ }, ({ kind }) =>
            kind === "dynamic-import" ? { path: "./otel-api.cjs", external: true } : undefined,
          );
        },
      },
    ],
  };
}

export default defineConfig([
  // Apart: what finds a daemon is loaded by every client, and must not load the daemon (and its native store) along.
  ...["src/index.ts", "src/server.ts"].map((entry) =>
    libraryBuild([entry], {
      define,
      shims: true,
      clean: false,
      esbuildOptions(options) {
        // Takes the calls of failpoints out, which do nothing here.
        options.minifySyntax = true;
      },
    }),
  ),
  programBuild({
    bin: "src/bin.ts",
    daemon: "src/daemon-main.ts",
    "daemon-program": "src/daemon-program.ts",
    "pino-log": "src/daemon/pino-log.ts",
    "otel-api": "src/tracing/otel-api.ts",
    "checkpoint-worker": "src/storage/checkpoint-worker.ts",
    "salvage-worker": "src/storage/salvage/salvage-worker.ts",
    "search-worker": "src/search/search-worker.ts",
    "workspace-agent": "src/workspace-agent/main.ts",
  }),
]);
