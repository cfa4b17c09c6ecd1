import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DAEMON_PROGRAM } from "../../support/daemon-process.js";

const POLL_MS = 5;

/** How a daemon is started whose circumstances a scenario chooses. */
export interface ForegroundOptions {
  /** What its `config.json` says. */
  readonly config?: object;
  /** Its whole environment; without it that of this process. `DAEMON_SDK_HOME` comes on top. */
  readonly env?: NodeJS.ProcessEnv;
  readonly umask?: string;
  /** Whether it is started with SIGHUP ignored, as `nohup` does. */
  readonly ignoresHangup?: boolean;
  /** Open descriptors that the system allows it. */
  readonly openFiles?: number;
  /** Where another one was, instead of a new place; it goes with that one's. */
  readonly stateDir?: string;
  /** Called again and again while it starts, with its state directory. */
  readonly whileStarting?: (stateDir: string) => void;
}

/** A daemon process in the foreground, everything it says kept. */
export interface ForegroundDaemon extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly stateDir: string;
  readonly socketPath: string;
  readonly workspace: string;
  /** Its stdout and stderr so far. */
  said(): string;
  stop(): Promise<void>;
}

/** Starts the built daemon on a free port, in a state directory of its own. */
export async function startForeground(options: ForegroundOptions = {}): Promise<ForegroundDaemon> {
  const directory = options.stateDir === undefined ? mkdtempSync(join(tmpdir(), "fore-")) : dirname(options.stateDir);
  const stateDir = join(directory, "state");
  const workspace = join(directory, "work");
  mkdirSync(workspace, { recursive: true });
  if (options.config !== undefined) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(stateDir, "config.json"), JSON.stringify(options.config), { mode: 0o600 });
  }
  const { child, said, exited } = spawnProgram(stateDir, options);
  const endpointPath = join(stateDir, "endpoint.json");
  while (publishedPid(endpointPath) !== child.pid) {
    if (child.exitCode !== null) throw new Error(`The daemon ended while it started: ${said()}`);
    options.whileStarting?.(stateDir);
    await (options.whileStarting === undefined ? delay(POLL_MS) : new Promise((go) => setImmediate(go)));
  }
  const { pid, port } = JSON.parse(readFileSync(endpointPath, "utf8")) as { pid: number; port: number };
  const stop = async () => {
    child.kill("SIGTERM");
    child.kill("SIGINT");
    await exited;
  };
  return {
    pid,
    port,
    url: `ws://127.0.0.1:${port}`,
    token: readFileSync(join(stateDir, "token"), "utf8").trim(),
    stateDir,
    socketPath: join(stateDir, "daemon.sock"),
    workspace,
    said,
    stop,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await stop();
      if (options.stateDir === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** By a shell, which sets what only a process can set of itself. */
function spawnProgram(stateDir: string, { env, umask = "022", openFiles, ignoresHangup = false }: ForegroundOptions) {
  const bound = openFiles === undefined ? "" : `ulimit -n ${openFiles}; `;
  const trap = ignoresHangup ? "trap '' HUP; " : "";
  const start = `umask ${umask}; ${bound}${trap}exec "$0" "$@"`;
  const program = [process.execPath, DAEMON_PROGRAM, "start", "--foreground", "--port", "0"];
  const child = spawn("/bin/sh", ["-c", start, ...program], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...(env ?? process.env), DAEMON_SDK_HOME: stateDir },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  return { child, said: () => text, exited: once(child, "exit") };
}

/** What the endpoint file names; a daemon that was killed leaves its own. */
function publishedPid(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  return (JSON.parse(readFileSync(path, "utf8")) as { pid: number }).pid;
}
