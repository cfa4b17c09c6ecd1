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
/** As many agents as run where the sessions are to have none, soon after they were made. */
export const FEW_AGENTS = "8";
const SESSIONS = 20_000;

/** Our daemon in a process of its own, as shipped but for the number of agents, on a port of its choice. Arguments: its state directory, and the most agents that run. */
export async function playDaemon(): Promise<void> {
  const agents = Number(process.argv[5] ?? AGENTS);
  const stateDir = process.argv[4] ?? mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
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
    limits: { liveAgents: agents, liveAgentsPerKey: agents, openSessions: SESSIONS, openSessionsPerKey: SESSIONS },
  });
  answerFigures();
  process.once("SIGTERM", () => {
    void daemon.close({ drainMs: 0 }).then(() => {
      rmSync(stateDir, { recursive: true, force: true });
      process.exit(0);
    });
  });
  sayReady({ port: daemon.endpoint.port, socketPath: daemon.endpoint.socketPath, stateDir });
}
