/**
 * `npm run test:model [-- --follow --seed N --minutes N]`: the model-based random test (test/model).
 *
 * `--built` leaves out the build, for those who have just made one.
 */
import { build } from "./build.mjs";
import { runTypeScript } from "./typescript-program.mjs";

const args = process.argv.slice(2).filter((arg) => arg !== "--built");
if (args.length === process.argv.length - 2) await build();
process.exitCode = await runTypeScript("test/model/model.ts", args);
