import { joinFleet } from "@daemon-sdk/fleet/machine";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { sayReady } from "./role.js";

const JOINING_AT_ONCE = 20;

/** A daemon that is in a fleet as many machines, each with a connection, a lease and links of its own. Arguments: the NATS server, and how many. */
export async function playMachines(): Promise<void> {
  const [, , , , servers = "", count = "0"] = process.argv;
  const daemon = await createDaemon({ stateDir: false });
  // Without the relay, which serves one machine at a time.
  const { endpoint, closed } = daemon;
  const machine = { endpoint, closed, accept: daemon.accept.bind(daemon) };
  for (let joined = 0; joined < Number(count); joined += JOINING_AT_ONCE) {
    const batch = Array.from({ length: Math.min(JOINING_AT_ONCE, Number(count) - joined) }, (_, more) =>
      joinFleet(machine, { servers, machineId: `machine-${joined + more}` }),
    );
    await Promise.all(batch);
  }
  process.once("SIGTERM", () => process.exit());
  sayReady({ count });
}
