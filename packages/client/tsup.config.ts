import { rmSync } from "node:fs";
import { defineConfig } from "tsup";
import { fileByFile, libraryBuild } from "../../tsup.base.js";

// tsup runs both builds at once, so neither may clean up after the other has begun.
rmSync("dist", { recursive: true, force: true });

const NODE_FILES = ["index", "local", "connect/index", "connect/local-platform", "relay/index", "relay/unix-link"];

export default defineConfig([
  libraryBuild(
    { index: "src/index.ts", local: "src/local.ts", relay: "src/relay/index.ts" },
    { clean: false, tsconfig: "tsconfig.node.json" },
  ),
  fileByFile(["src/**/*.ts", ...NODE_FILES.map((name) => `!src/${name}.ts`)], {
    dts: { entry: ["src/browser.ts", "src/relay/browser.ts"] },
  }),
]);
