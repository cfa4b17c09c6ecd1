/** A daemon as a process: `node daemon.cjs <state directory> <agent program> <relay program>`. Ends at SIGTERM by having nothing left to do. */
import { createDaemon } from "../../src/server.js";

const [stateDir = "", agent = "", program = ""] = process.argv.slice(2);
const agents = {
  "workspace-agent": { command: [process.execPath, agent] as const },
  stubborn: { command: [process.execPath, program, "stubborn"] as const, driver: "relay" as const },
};

void createDaemon({ stateDir, agents, spawnManager: true }).then((daemon) => {
  process.once("SIGTERM", () => void daemon.close({ drainMs: 0 }));
  process.stdout.write("ready\n");
});
