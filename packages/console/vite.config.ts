import { defineConfig } from "vite";

// Everything is a file of its own: the page's Content-Security-Policy allows nothing inline (docs/security.md, "The console").
export default defineConfig({
  base: "/console/",
  logLevel: "warn",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The texts of the licences of what is bundled.
    license: { fileName: "THIRD-PARTY-NOTICES.md" },
  },
});
