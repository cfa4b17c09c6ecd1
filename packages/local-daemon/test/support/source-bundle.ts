import type { BuildOptions } from "esbuild";

/** How a program is bundled from the packages' sources, to be run by Node as CommonJS. */
export const SOURCE_BUNDLE = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  conditions: ["@daemon-sdk/source"],
  // As the build does (tsup.config.ts): jsonc-parser's other form cannot be bundled.
  mainFields: ["module", "main"],
  external: ["@photostructure/sqlite"],
  define: { "import.meta.url": "__filename_url" },
  banner: { js: "const __filename_url = require('node:url').pathToFileURL(__filename).href;" },
} as const satisfies BuildOptions;
