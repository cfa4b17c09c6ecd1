/**
 * The daemon as a process of its own: `node dist/daemon.cjs [--port <n>] [--fleet <json>] [--take-over [--wait <ms>]]`, with DAEMON_SDK_HOME naming its
 * state. The daemon's program lies beside this file, and its compiled form in the cache directory of the user.
 */
import { fileURLToPath } from "node:url";
import { cacheDirectory, compiledProgram } from "./compiled/index.js";

/** After a start there is more to do than to store what the next start may use. */
const STORE_AFTER_MS = 5_000;

const program = compiledProgram(fileURLToPath(new URL("./daemon-program.cjs", import.meta.url)), cacheDirectory());
program.run();
if (!program.isFromCache) {
  // Once: after a while, or at the end of a daemon that lives shorter.
  const store = () => {
    clearTimeout(timer);
    process.removeListener("exit", store);
    program.store();
  };
  const timer = setTimeout(store, STORE_AFTER_MS).unref();
  process.once("exit", store);
}
