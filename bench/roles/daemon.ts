import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { answerFigures } from "./process-figures.js";
import { sayReady } from "./role.js";

/** The key of the bench. */
export const BENCH_KEY = "fk-bench-on-loopback";
/** The agent that is a shell. */
export const SHELL_AGENT = join(process.cwd(), "bench", "roles", "shell-agent.sh");

/** As many agents as any measure needs. */
export const MANY_AGENTS = "2000";
/** As many agents as run where the sessions are to have none, soon after they were made. */
export const FEW_AGENTS = "8";
const SESSIONS = 20_000;

/** Name of the daemon in its fleet, when it joins one. */
export const BENCH_MACHINE = "bench";

/**
 * Our daemon in a process of its own, as shipped but for the number of agents, on a port of its choice. Arguments: its state directory,
 * the most agents that run, and the NATS server of the fleet that it joins, if any.
 */
export async function playDaemon(): Promise<void> {
  const [stateDir = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-")), agents = MANY_AGENTS, servers] =
    process.argv.slice(4);
  // As the program `local-daemon` does, which sets this for its whole process.
  setFlagsFromString("--no-parallel-scavenge");
  const program = [process.execPath, process.argv[1] ?? "", "--role"] as const;
  const daemon = await createDaemon({
    stateDir,
    port: 0,
    apiKeys: [BENCH_KEY],
    agents: {
      shell: { driver: "stream-jsonrpc", command: ["/bin/sh", SHELL_AGENT] },
      paced: { driver: "stream-jsonrpc", command: [...program, "paced-agent"] },
    },
    defaultAgent: "shell",
    limits: {
      liveAgents: Number(agents),
      liveAgentsPerKey: Number(agents),
      openSessions: SESSIONS,
      openSessionsPerKey: SESSIONS,
    },
  });
  if (servers !== undefined) {
    // Loaded only here: the daemon's memory is measured, too.
    const { joinFleet } = await import("@daemon-sdk/fleet/machine");
    await joinFleet(daemon, { servers, machineId: BENCH_MACHINE });
  }
  answerFigures();
  process.once("SIGTERM", () => {
    void daemon.close({ drainMs: 0 }).then(() => {
      rmSync(stateDir, { recursive: true, force: true });
      process.exit(0);
    });
  });
  sayReady({ port: daemon.endpoint.port, socketPath: daemon.endpoint.socketPath, stateDir });
}
