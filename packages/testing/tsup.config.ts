import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

export default defineConfig(
  libraryBuild(["src/index.ts", "src/node.ts", "src/node-test.ts", "src/vitest.ts", "src/bin.ts"], {
    tsconfig: "tsconfig.node.json",
    external: ["vitest"],
    // esbuild would write `node:test` as `test`, which is another package.
    removeNodeProtocol: false,
  }),
);
