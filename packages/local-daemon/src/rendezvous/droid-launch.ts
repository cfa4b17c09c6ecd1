import { createServer } from "node:net";
import { join } from "node:path";
import { abortReason, ConnectionError, DEFAULT_DAEMON_PORT, type LocalDaemonEndpoint } from "@daemon-sdk/protocol";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { tcpAuthority } from "../access/index.js";
import { homeDirectory } from "../home-directory.js";
import { PROCESS_LIMITS } from "../limits/index.js";
import { bindTcp } from "../listener/index.js";
import { type LaunchExit, type Launched, launchDetached, SharedStart } from "./launch/index.js";
import { notRunning } from "./not-running.js";
import { pause } from "./pause.js";
import { isOurListener } from "./port-owner.js";
import { readPrivateFile, writePrivateFile } from "./private-file.js";
import type { InstanceLock } from "./single-instance.js";
import { openStateDir } from "./state-dir.js";

/** Options of the start of a plain daemon. */
export interface DroidOptions {
  /** Name looked up in PATH, or a path. */
  readonly program: string;
  readonly stateDir: string;
  readonly signal?: AbortSignal | undefined;
  /** False: one that runs, or DAEMON_NOT_RUNNING. */
  readonly start?: boolean | undefined;
  /** Where to look and to start first; default the port of the original wire. */
  readonly port?: number;
}

const FILES = { port: "droid.port", lock: "droid.lock.db", log: "droid-stderr.log" } as const;

const starts = new SharedStart<LocalDaemonEndpoint>();

/**
 * Finds a plain `droid daemon` on this machine, or starts `droid daemon --host 127.0.0.1 --port N`
 * (docs/wire/session.md#local-daemon).
 *
 * A plain daemon publishes no endpoint and proves nothing. So the checks are: the port listens, answers as a WebSocket, and (on
 * Linux) its listener belongs to this user. One program at a time starts one; the others find it.
 */
export function ensureDroidDaemon(options: DroidOptions): Promise<LocalDaemonEndpoint> {
  const key = `${options.stateDir}\0${options.program}\0${options.start}`;
  return starts.join(key, (signal) => findOrStart({ ...options, signal }), options.signal);
}

type Search = DroidOptions & { readonly signal: AbortSignal };

async function findOrStart(search: Search): Promise<LocalDaemonEndpoint> {
  await openStateDir(search.stateDir);
  const since = performance.now();
  for (;;) {
    const port = await findRunning(search);
    if (port !== undefined) return plainEndpoint(port, false);
    if (search.start === false) throw notRunning(search.stateDir);
    const lock = await takeTurn(search.stateDir);
    if (lock !== undefined) {
      // The previous holder of the turn may have started a daemon between our check and our turn.
      return findRunning(search)
        .then((found) => (found === undefined ? start(search) : plainEndpoint(found, false)))
        .finally(() => lock.release());
    }
    await pause(since, search.signal);
  }
}

/** The right to start one, or undefined while another program has it. */
async function takeTurn(stateDir: string): Promise<InstanceLock | undefined> {
  // Loads the native store here, so that programs that only find a daemon do not load it.
  const { acquireInstanceLock } = await import("./single-instance.js");
  return acquireInstanceLock(join(stateDir, FILES.lock)).catch((error: unknown) => {
    if (ConnectionError.is(error, "DAEMON_ALREADY_RUNNING")) return undefined;
    throw error;
  });
}

/** The well-known port, else the recorded port of the last start. */
async function findRunning({
  stateDir,
  signal,
  port: first = DEFAULT_DAEMON_PORT,
}: Search): Promise<number | undefined> {
  const noted = Number(await readPrivateFile(join(stateDir, FILES.port)));
  for (const port of new Set([first, noted])) {
    if (Number.isInteger(port) && port > 0 && port <= 65_535 && (await isDaemonThere(port, signal))) return port;
  }
  return undefined;
}

async function isDaemonThere(port: number, signal: AbortSignal): Promise<boolean> {
  if (!(await isOurListener(port))) return false;
  try {
    const transport = await dialWebSocket(`ws://${tcpAuthority(port)}`, { signal, timeoutMs: PROCESS_LIMITS.probeMs });
    transport.terminate();
    return true;
  } catch {
    if (signal.aborted) throw abortReason(signal);
    return false;
  }
}

async function start(search: Search): Promise<LocalDaemonEndpoint> {
  const failures: string[] = [];
  for (let attempt = 1; attempt <= PROCESS_LIMITS.startAttempts; attempt += 1) {
    const port = attempt === 1 ? (search.port ?? DEFAULT_DAEMON_PORT) : await freePort();
    const launched = await launchDroid(search, port);
    const failure = await untilReady(launched, port, search.signal);
    if (failure === undefined) {
      await writePrivateFile(join(search.stateDir, FILES.port), String(port));
      return plainEndpoint(port, true, launched.pid);
    }
    failures.push(`port ${port}: ${failure}`);
  }
  throw new ConnectionError(
    "DAEMON_START_FAILED",
    `Failed to start "${search.program} daemon" after ${PROCESS_LIMITS.startAttempts} attempts (${failures.join("; ")}). ` +
      `Check that it is installed and logged in, and see ${join(search.stateDir, FILES.log)}.`,
  );
}

function launchDroid({ program, stateDir }: Search, port: number): Promise<Launched> {
  return launchDetached({
    command: [program, "daemon", "--host", "127.0.0.1", "--port", String(port)],
    cwd: homeDirectory() ?? "/",
    env: process.env,
    logPath: join(stateDir, FILES.log),
  });
}

/** Undefined when the daemon answers, else why it does not. One that is not ready in time is terminated. */
async function untilReady(launched: Launched, port: number, signal: AbortSignal): Promise<string | undefined> {
  let exit: LaunchExit | undefined;
  void launched.exited.then((end) => {
    exit = end;
  });
  const since = performance.now();
  for (;;) {
    if (exit !== undefined) return exit.error?.message ?? `ended with ${exit.signal ?? `exit code ${exit.exitCode}`}`;
    if (await isDaemonThere(port, signal)) return undefined;
    if (performance.now() - since > PROCESS_LIMITS.startMs) {
      launched.stop();
      return `did not answer within ${PROCESS_LIMITS.startMs} ms`;
    }
    await pause(since, signal);
  }
}

function plainEndpoint(port: number, started: boolean, pid?: number): LocalDaemonEndpoint {
  return { kind: "droid", url: `ws://${tcpAuthority(port)}`, started, port, ...(pid === undefined ? {} : { pid }) };
}

/** A port that was free a moment ago; another program may take it, which is why there are several attempts. */
async function freePort(): Promise<number> {
  const server = await bindTcp(createServer(), 0);
  const address = server.address();
  server.close();
  return address !== null && typeof address === "object" ? address.port : DEFAULT_DAEMON_PORT;
}
