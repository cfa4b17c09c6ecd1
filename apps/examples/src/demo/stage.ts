import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import { childrenOf } from "../processes.js";
import { stopDaemon } from "../scratch.js";

/** A daemon process of the demo's own, and a directory whose files stay when the demo is over. */
export interface Stage {
  readonly daemonPid: number;
  readonly stateDir: string;
  readonly workspace: string;
  /** Processes that the daemon has started, as the system's process table tells. */
  agentPids(): number[];
  /** Clients' WebSockets that are open, as the daemon tells. */
  countSockets(): Promise<number>;
  /** Ends the daemon and removes its state; the files in the workspace stay. */
  stop(): Promise<void>;
}

/** Starts a daemon with a new state directory, so that the demo meddles with no daemon of yours. */
export async function openStage(): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-demo-"));
  const stateDir = join(directory, "state");
  process.env.DAEMON_SDK_HOME = stateDir;
  const { pid, url } = await ensureLocalDaemon();
  if (pid === undefined) throw new Error("The daemon that was started does not tell its pid.");
  const stop = async () => {
    await stopDaemon(pid);
    rmSync(stateDir, { recursive: true, force: true });
  };
  // Whoever reads may leave early (`| head`); the demo then still ends its daemon.
  process.stdout.on("error", () => {});
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(1)));
  }
  return {
    daemonPid: pid,
    stateDir,
    workspace: join(directory, "work"),
    agentPids: () => childrenOf(pid),
    countSockets: async () => (await readHealth(url)).connections,
    stop,
  };
}

/** The daemon's `/health`, over its unix socket. */
function readHealth(url: string): Promise<{ connections: number }> {
  const socketPath = url.slice("ws+unix://".length).split(":")[0] ?? "";
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: "/health", headers: { host: "localhost" } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(JSON.parse(text) as { connections: number }));
    });
    call.once("error", reject);
    call.end();
  });
}
