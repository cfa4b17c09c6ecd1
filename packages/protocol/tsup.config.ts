import { rmSync } from "node:fs";
import { defineConfig } from "tsup";
import { fileByFile, libraryBuild } from "../../tsup.base.js";

// tsup runs both builds at once, so neither may clean up after the other has begun.
rmSync("dist", { recursive: true, force: true });

export default defineConfig([
  libraryBuild(["src/index.ts", "src/schema.ts", "src/relay.ts", "src/relay/schema.ts"], { clean: false }),
  // Its types are those of the build above.
  fileByFile(["src/**/*.ts"], { dts: false }),
]);
