/**
 * `npm test`: installs, builds, runs every test, and ends with the line `N passed, N failed`.
 *
 * Arguments after `--` go to vitest: `npm test -- packages/client`.
 */
import { build } from "./build.mjs";
import { endWithCounts, runCounted } from "./counted-vitest.mjs";

endWithCounts();
await build();
await runCounted(process.argv.slice(2));
