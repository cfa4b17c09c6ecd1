import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { probeLocalDaemon } from "../../src/rendezvous/probe.js";
import { createDaemon, type Daemon, type DaemonConfig } from "../../src/server.js";
import { tempHome } from "../rendezvous/temp-home.js";
import { TestClient } from "../sessions/harness.js";
import { bundledProgram } from "../support/bundled-program.js";
import { workspaceAgentEntry } from "../workspace-agent/workspace-agent.js";

/** A state directory, a directory to work in, and daemons with the real default agent. */
export interface DaemonDesk extends AsyncDisposable {
  readonly stateDir: string;
  readonly cwd: string;
  start(config?: DaemonConfig): Promise<Daemon>;
  /** A daemon in a process of its own; resolves when it serves. */
  startProcess(): Promise<ChildProcess>;
  /** An authenticated client over the unix socket, which the daemon has proven; default the person's. */
  connect(credential?: object): Promise<TestClient>;
}

/** The embedded agent, from its sources. */
export function agentConfig(): DaemonConfig {
  return { agents: { "workspace-agent": { command: [process.execPath, workspaceAgentEntry()] } } };
}

export function daemonDesk(): DaemonDesk {
  const home = tempHome();
  const cwd = mkdtempSync(join(tmpdir(), "daemon-sdk-work-"));
  const daemons: Daemon[] = [];
  const children: ChildProcess[] = [];
  return {
    stateDir: home.state,
    cwd,
    async start(config = {}) {
      const daemon = await createDaemon({ stateDir: home.state, ...agentConfig(), ...config });
      daemons.push(daemon);
      return daemon;
    },
    async startProcess() {
      const relayProgram = fileURLToPath(new URL("../fixtures/relay-worker.mjs", import.meta.url));
      const child = spawn(process.execPath, [daemonProgram(), home.state, workspaceAgentEntry(), relayProgram], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      if (child.stdout !== null) await once(createInterface(child.stdout), "line");
      return child;
    },
    async connect(credential) {
      const found = await probeLocalDaemon(home.state);
      if (found === undefined) throw new TypeError("no daemon");
      const client = new TestClient(found.link.transport);
      await client.authenticate(credential ?? found.link.credential);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const daemon of daemons) await daemon.close({ drainMs: 0 });
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      home[Symbol.dispose]();
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

/** A client over TCP, with the token or a key. */
export async function connectTcp(port: number, credential: object): Promise<TestClient> {
  const client = new TestClient(await dialWebSocket(`ws://127.0.0.1:${port}`));
  await client.authenticate(credential);
  return client;
}

let program: string | undefined;

/** The daemon as a file that Node runs; built once for a test file. */
function daemonProgram(): string {
  program ??= bundledProgram("test/server/daemon-process.ts");
  return program;
}
