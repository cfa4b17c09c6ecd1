import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

export default defineConfig(libraryBuild(["src/index.ts", "src/machine.ts", "src/enrol.ts", "src/browser.ts"]));
