/** A daemon as a process: `node daemon.cjs <state directory> <agent program>`. Ends at SIGTERM by having nothing left to do. */
import { createDaemon } from "../../src/server.js";

const [stateDir = "", agent = ""] = process.argv.slice(2);

void createDaemon({ stateDir, agents: { "workspace-agent": { command: [process.execPath, agent] } } }).then(
  (daemon) => {
    process.once("SIGTERM", () => void daemon.close({ drainMs: 0 }));
    process.stdout.write("ready\n");
  },
);
