import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createDaemon, type Daemon } from "@daemon-sdk/local-daemon/server";
import { type DaemonHarness, daemonHarness } from "@daemon-sdk/testing";
import { dialWebSocket } from "@daemon-sdk/transport-ws";

/** The built default agent, as the package ships it. */
export const WORKSPACE_AGENT_PROGRAM = join(
  dirname(createRequire(import.meta.url).resolve("@daemon-sdk/local-daemon/package.json")),
  "dist",
  "workspace-agent.cjs",
);

const KEYS = ["first-key-of-the-daemon-contract", "second-key-of-the-daemon-contract"] as const;
const HOST = "127.0.0.1";

/** A real daemon on a port of its own, with a state directory and the built workspace agent. */
export async function realDaemonHarness(): Promise<DaemonHarness & AsyncDisposable> {
  const directory = mkdtempSync(join(tmpdir(), "daemon-contract-"));
  const stateDir = join(directory, "state");
  const start = () =>
    createDaemon({
      stateDir,
      port: 0,
      apiKeys: KEYS,
      agents: { "workspace-agent": { command: [process.execPath, WORKSPACE_AGENT_PROGRAM] } },
    });
  let daemon: Daemon = await start();
  const harness = daemonHarness(
    {
      connect: () => dialWebSocket(`ws://${HOST}:${daemon.endpoint.port}`),
      // New at each start of the daemon.
      get credential() {
        return { token: readFileSync(join(stateDir, "token"), "utf8").trim() };
      },
      keys: [{ apiKey: KEYS[0] }, { apiKey: KEYS[1] }],
      workingDirectory: directory,
      prompts: {
        say: (word) => `say ${word}`,
        stream: (events) => `stream ${events}`,
        endless: "count 1000000 every 20",
        permission: "run true",
        question: "ask Which colour? red | blue",
        die: "run kill -9 $PPID",
      },
      patienceMs: 15_000,
      async restart() {
        await daemon.close({ drainMs: 0 });
        daemon = await start();
      },
    },
    ["deadlines"],
  );
  const dispose = async () => {
    await daemon.close({ drainMs: 0 });
    rmSync(directory, { recursive: true, force: true });
  };
  return Object.defineProperty(harness, Symbol.asyncDispose, { value: dispose }) as DaemonHarness & AsyncDisposable;
}
