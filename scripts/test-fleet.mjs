/**
 * `npm run test:fleet`: the scenarios of test/fleet against real NATS servers, clusters and daemons that are killed; ends with the line
 * `N passed, N failed`. Needs `nats-server`.
 *
 * `--built` leaves out the build. Other arguments after `--` go to vitest: `npm run test:fleet -- faults`.
 */
import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";
import { endWithCounts, runCounted } from "./counted-vitest.mjs";

endWithCounts();
if (spawnSync("nats-server", ["--version"]).status === 0) await runAll();
else {
  console.error("nats-server is not on PATH. Install it: apt-get install nats-server (2.9 or newer).");
  process.exitCode = 1;
}

async function runAll() {
  const args = process.argv.slice(2).filter((arg) => arg !== "--built");
  if (args.length === process.argv.length - 2) await build();
  await runCounted(["--config", "vitest.fleet.config.ts", ...args]);
}
