/** `npm run test:mutants`: transports and daemons that break one law each, and the case that catches each of them. */
import { build } from "./build.mjs";
import { runTypeScript } from "./typescript-program.mjs";

await build();
process.exitCode = await runTypeScript("test/mutants/main.ts", process.argv.slice(2));
