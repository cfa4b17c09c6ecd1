/** `npm run stress`: sixteen checks against a real daemon process over a real WebSocket (test/stress/stress.ts). */
import { build } from "./build.mjs";
import { runTypeScript } from "./typescript-program.mjs";

await build();
process.exitCode = await runTypeScript("test/stress/stress.ts", process.argv.slice(2));
