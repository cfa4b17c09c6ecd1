// A service that moves a session, and is killed before one step of it: node move-service.mjs <server> <session> <machine> <step>
import { connectFleet } from "@daemon-sdk/fleet";

const [server, sessionId, machineId, step] = process.argv.slice(2);
const fleet = await connectFleet({ servers: server });
await fleet.moveSession(sessionId, machineId, {
  drainMs: 0,
  onStep(now) {
    if (now === step) process.kill(process.pid, "SIGKILL");
  },
});
await fleet.close();
