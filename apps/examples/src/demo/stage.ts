import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import { childrenOf } from "../processes.js";
import { stopDaemon } from "../scratch.js";

/** A daemon process for the demo, and a directory whose files are kept after the demo. */
export interface Stage {
  readonly daemonPid: number;
  readonly stateDir: string;
  readonly workspace: string;
  /** Processes that the daemon has started, from the system's process table. */
  agentPids(): number[];
  /** Open WebSockets of clients, as the daemon reports. */
  countSockets(): Promise<number>;
  /** Opens the daemon's console. Resolves at Ctrl-C. */
  showConsole(): Promise<void>;
  /** Stops the daemon and removes its state. The files in the workspace are kept. */
  stop(): Promise<void>;
}

/** Starts a daemon with a new state directory, so that the demo does not affect your daemon. */
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
  // The reader of stdout may exit early (`| head`). The demo then still stops its daemon.
  process.stdout.on("error", () => {});
  let onSignal: () => void = () => void stop().finally(() => process.exit(1));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => onSignal());
  return {
    daemonPid: pid,
    stateDir,
    workspace: join(directory, "work"),
    agentPids: () => childrenOf(pid),
    countSockets: async () => (await readHealth(url)).connections,
    async showConsole() {
      const interrupted = new Promise<void>((resolve) => {
        onSignal = resolve;
      });
      const opened = spawn(process.execPath, [DAEMON_PROGRAM, "open"], { stdio: ["inherit", "inherit", "inherit"] });
      await once(opened, "exit");
      console.log("The console works until Ctrl-C.");
      // Nothing else keeps this process.
      const keptAlive = setInterval(() => {}, 60_000);
      await interrupted;
      clearInterval(keptAlive);
    },
    stop,
  };
}

/** The command line of the daemon. */
const DAEMON_PROGRAM = join(
  dirname(createRequire(import.meta.url).resolve("@daemon-sdk/local-daemon/package.json")),
  "dist",
  "bin.cjs",
);

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
