import { readFileSync, rmSync } from "node:fs";
import { defineConfig } from "tsup";
import { fileByFile, libraryBuild } from "../../tsup.base.js";

// tsup runs both builds at once, so neither may clean up after the other has begun.
rmSync("dist", { recursive: true, force: true });

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const define = { __CLIENT_VERSION__: JSON.stringify(version) };

const NODE_FILES = [
  "index",
  "local",
  "connect/ajv",
  "connect/exec/exec-options",
  "connect/exec/in-process-connection",
  "connect/exec/index",
  "connect/fleet-machine",
  "connect/index",
  "connect/local-platform",
  "connect/otel",
  "relay/index",
  "relay/unix-link",
];

export default defineConfig([
  libraryBuild(
    { index: "src/index.ts", exec: "src/connect/exec/index.ts", local: "src/local.ts", relay: "src/relay/index.ts" },
    { clean: false, tsconfig: "tsconfig.node.json", define },
  ),
  fileByFile(["src/**/*.ts", ...NODE_FILES.map((name) => `!src/${name}.ts`)], {
    define,
    dts: { entry: ["src/browser.ts", "src/relay/browser.ts"] },
  }),
]);
