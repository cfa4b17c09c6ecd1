import { spawn } from "node:child_process";
import { join } from "node:path";
import { AGENT_MARKERS } from "../../agents/index.js";
import { openLog, readLogTail } from "../log-file.js";
import { STATE_FILES } from "../state-dir.js";
import { daemonCommand } from "./daemon-program.js";

/** A process that was started as a daemon. */
export interface Launched {
  readonly pid: number | undefined;
  /** Resolves when the process ends, or could not be started. Pending while the daemon runs. Never rejects. */
  readonly exited: Promise<LaunchExit>;
  /** Terminates the process (SIGTERM). */
  stop(): void;
  /** Log lines since the start of the process. */
  logTail(): Promise<string>;
}

/** How a {@link Launched} process ended. */
export interface LaunchExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Set when no process started: the program is missing or not executable. */
  readonly error?: Error;
}

/** How our daemon is started. */
export interface DaemonLaunch {
  readonly stateDir: string;
  /** Path of the daemon's program; default `DAEMON_SDK_PROGRAM`, else that of the installed package. */
  readonly program?: string | undefined;
  /** Of the daemon's own command line. */
  readonly args?: readonly string[];
}

/** The program to start, and the destination of its stderr. */
export interface LaunchOptions {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logPath: string;
}

/**
 * Starts our daemon for `stateDir`, detached: it outlives this process, which holds none of its pipes. Its stderr is appended
 * to the log.
 */
export async function launchDaemon({ stateDir, program, args = [] }: DaemonLaunch): Promise<Launched> {
  return launchDetached({
    command: [...daemonCommand(program), ...args],
    cwd: stateDir,
    env: { ...daemonEnvironment(), DAEMON_SDK_HOME: stateDir },
    logPath: join(stateDir, STATE_FILES.log),
  });
}

/** The environment of this process, without variables that apply to this process only. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  // An inspector port or a loader of the host program would make the daemon fail or change its behaviour.
  const { NODE_OPTIONS: _dropped, ...env } = process.env;
  // A daemon that an agent starts must not be reaped with the agent.
  for (const marker of Object.values(AGENT_MARKERS)) delete env[marker];
  if (process.versions.electron !== undefined) env.ELECTRON_RUN_AS_NODE = "1";
  return env;
}

/** Starts a program in its own process session, attached only to the log. */
export async function launchDetached(options: LaunchOptions): Promise<Launched> {
  const log = await openLog(options.logPath);
  const [program, ...args] = options.command;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["ignore", "ignore", log.file.fd],
    windowsHide: true,
  });
  // In the same tick, because a missing program is reported in the next one.
  const exited = new Promise<LaunchExit>((resolve) => {
    child.once("error", (error) => resolve({ exitCode: null, signal: null, error }));
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  child.unref();
  await log.file.close();
  return {
    pid: child.pid,
    exited,
    stop: () => void child.kill("SIGTERM"),
    logTail: () => readLogTail(options.logPath, log.offset),
  };
}
