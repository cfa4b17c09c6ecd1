import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

export default defineConfig(libraryBuild(["src/index.ts", "src/schema.ts", "src/relay.ts", "src/relay/schema.ts"]));
