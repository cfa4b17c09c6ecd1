import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type DaemonHarness, daemonHarness } from "@daemon-sdk/testing";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { DAEMON_PROGRAM } from "../support/daemon-process.js";
import { KIT_KEYS, workspaceKit } from "./workspace-kit.js";

/** The second one says that running turns need not finish. Another kind, because two of one kind arrive as one. */
const POLITELY = ["SIGTERM", "SIGINT"] as const;
const HOST = "127.0.0.1";

/** The built daemon as a process on a port of its own, with a state directory and its workspace agent. */
export async function realDaemonHarness(): Promise<DaemonHarness & AsyncDisposable> {
  const directory = mkdtempSync(join(tmpdir(), "daemon-contract-"));
  const stateDir = join(directory, "state");
  mkdirSync(stateDir, { mode: 0o700 });
  writeFileSync(join(stateDir, "config.json"), JSON.stringify({ apiKeys: KIT_KEYS }), { mode: 0o600 });
  let daemon = await start(stateDir);
  const harness = daemonHarness(
    {
      ...workspaceKit(directory),
      connect: () => dialWebSocket(`ws://${HOST}:${daemon.port}`),
      // New at each start of the daemon.
      get credential() {
        return { token: readFileSync(join(stateDir, "token"), "utf8").trim() };
      },
      async restart(how) {
        await end(daemon.child, ...(how === "killed" ? (["SIGKILL"] as const) : POLITELY));
        daemon = await start(stateDir);
      },
    },
    ["deadlines"],
  );
  const dispose = async () => {
    await end(daemon.child, ...POLITELY);
    rmSync(directory, { recursive: true, force: true });
  };
  return Object.defineProperty(harness, Symbol.asyncDispose, { value: dispose }) as DaemonHarness & AsyncDisposable;
}

/** Starts the daemon, and waits until it says where it listens. */
async function start(stateDir: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [DAEMON_PROGRAM, "start", "--foreground", "--port", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, DAEMON_SDK_HOME: stateDir },
  });
  const port = await portToldBy(child.stderr);
  // Whatever else it says is thrown away, so that it never waits for a reader.
  child.stderr.resume();
  return { child, port };
}

async function portToldBy(stderr: Readable): Promise<number> {
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    said.push(line);
    const port = /^Listening on .* and [\d.]+:(\d+) /.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`The daemon ended while it started: ${said.join("\n")}`);
}

async function end(child: ChildProcess, ...signals: NodeJS.Signals[]): Promise<void> {
  const exited = once(child, "exit");
  for (const signal of signals) child.kill(signal);
  await exited;
}
