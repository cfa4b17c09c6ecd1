import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { answerFigures } from "./process-figures.js";
import { sayReady } from "./role.js";

/** The key of the bench. */
export const BENCH_KEY = "fk-bench-on-loopback";
/** The agent that is a shell. */
export const SHELL_AGENT = join(process.cwd(), "bench", "roles", "shell-agent.sh");

const AGENTS = 2_000;
const SESSIONS = 20_000;

/** Name of the daemon in its fleet, when it joins one. */
export const BENCH_MACHINE = "bench";

/**
 * Our daemon in a process of its own, as shipped but for the number of agents, on a port of its choice. Arguments: its state directory,
 * and the NATS server of the fleet that it joins, if any.
 */
export async function playDaemon(): Promise<void> {
  const stateDir = process.argv[4] ?? mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
  const servers = process.argv[5];
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
    limits: { liveAgents: AGENTS, liveAgentsPerKey: AGENTS, openSessions: SESSIONS, openSessionsPerKey: SESSIONS },
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
