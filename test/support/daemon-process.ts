import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureLocalDaemon, resolveLocalAuthToken } from "@daemon-sdk/client/local";

/** The built command line of `@daemon-sdk/local-daemon`. */
export const DAEMON_PROGRAM = createRequire(import.meta.url)
  .resolve("@daemon-sdk/local-daemon/package.json")
  .replace(/package\.json$/, join("dist", "bin.cjs"));

const POLL_MS = 20;
/** For a daemon that does not start; a busy machine starts it in seconds. */
const START_MS = 60_000;

/** A real daemon process, with a state directory and a working directory of its own. */
export interface DaemonProcess extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** `ws://127.0.0.1:<port>`; needs {@link token}. */
  readonly url: string;
  readonly token: string;
  readonly socketPath: string;
  readonly stateDir: string;
  readonly workspace: string;
  /** Stops the daemon and waits until it and its agents have ended. */
  stop(): Promise<void>;
}

/**
 * Starts the built daemon as people do, in the foreground, on a port the system chose.
 *
 * Sets `DAEMON_SDK_HOME` of this process, too, so that `connectDaemon()` without options finds this daemon and no other.
 * `config` becomes the daemon's `config.json`.
 */
export async function startDaemonProcess(config: object = {}): Promise<DaemonProcess> {
  const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-"));
  const stateDir = join(directory, "state");
  const workspace = join(directory, "work");
  mkdirSync(stateDir, { mode: 0o700 });
  mkdirSync(workspace);
  writeFileSync(join(stateDir, "config.json"), JSON.stringify(config), { mode: 0o600 });
  writeFileSync(join(workspace, "notes.md"), "# Notes\n\nThe answer is 42.\n");
  process.env.DAEMON_SDK_HOME = stateDir;
  const child = spawn(process.execPath, [DAEMON_PROGRAM, "start", "--foreground", "--port", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, DAEMON_SDK_HOME: stateDir },
  });
  await published(stateDir, child);
  const { pid, port } = await ensureLocalDaemon();
  const token = await resolveLocalAuthToken();
  if (pid === undefined || pid !== child.pid || port === undefined || token === undefined) {
    throw new Error("The daemon that answers is not the one that was started.");
  }
  const stop = async () => {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  };
  const url = `ws://127.0.0.1:${port}`;
  return {
    pid,
    port,
    url,
    token,
    socketPath: join(stateDir, "daemon.sock"),
    stateDir,
    workspace,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Waits for the endpoint file, which the daemon writes when it listens. */
async function published(stateDir: string, child: ChildProcess): Promise<void> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const deadline = performance.now() + START_MS;
  while (!existsSync(join(stateDir, "endpoint.json"))) {
    if (child.exitCode !== null)
      throw new Error(`The daemon ended with exit code ${child.exitCode} while it started: ${said}`);
    if (performance.now() > deadline) throw new Error(`The daemon did not listen within ${START_MS} ms.`);
    await delay(POLL_MS);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  // The second one says that running turns need not finish. Another kind, because two of one kind arrive as one.
  child.kill("SIGTERM");
  child.kill("SIGINT");
  await exited;
}

/** Whether a process of that pid exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
