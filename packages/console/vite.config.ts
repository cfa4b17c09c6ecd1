import { relative } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** Records what is bundled, in the form of the other builds, for the licences in THIRD-PARTY-NOTICES (scripts/notices.mjs). */
const metafile: Plugin = {
  name: "metafile",
  generateBundle(_options, bundle) {
    const chunks = Object.values(bundle).filter((output) => output.type === "chunk");
    const outputs = chunks.map(({ fileName, modules }) => {
      const inputs = Object.entries(modules).map(([id, { renderedLength }]) => {
        // What Rollup makes itself begins with a null byte.
        const path = relative(import.meta.dirname, id.replace("\0", "").split("?")[0] ?? id);
        return [path, { bytesInOutput: renderedLength }];
      });
      return [fileName, { inputs: Object.fromEntries(inputs) }];
    });
    const source = JSON.stringify({ outputs: Object.fromEntries(outputs) });
    this.emitFile({ type: "asset", fileName: "metafile-console.json", source });
  },
};

// Everything is a file of its own: the page's Content-Security-Policy allows nothing inline (docs/security.md, "The console").
export default defineConfig({
  base: "/console/",
  logLevel: "warn",
  plugins: [metafile],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
