import { rmSync } from "node:fs";
import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

// tsup runs both builds at once, so neither may clean up after the other has begun.
rmSync("dist", { recursive: true, force: true });

export default defineConfig([
  libraryBuild(["src/index.ts", "src/local.ts", "src/relay.ts"], { clean: false, tsconfig: "tsconfig.node.json" }),
  // A build of its own: a chunk shared with the Node entry could drag `ws` or a Node global into a page.
  libraryBuild(["src/browser.ts", "src/relay-browser.ts"], { clean: false, format: ["esm"], platform: "browser" }),
]);
