import { lstat, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { silentLogger } from "@daemon-sdk/protocol";
import { LoginShell, programPath } from "../../agents/index.js";
import { type ConfigFile, checkConfigFile, configPathOf, readConfigFile } from "../../config-file/index.js";
import { agentSpecs } from "../../configured-agents.js";
import {
  checkStateDir,
  lockStateDir,
  probeLocalDaemon,
  readEndpoint,
  STATE_FILES,
  socketPathOf,
} from "../../rendezvous/index.js";
import { LOCAL_DAEMON_VERSION } from "../../version.js";
import { callRunningDaemon } from "../daemon-call.js";
import { printable } from "../terminal.js";
import { damagedStoresIn } from "./damaged-stores.js";
import { storedBytesOf, storedBytesText } from "./stored-bytes.js";

/** What one check found. `failed`: the daemon or a part of it does not work. `warning`: it works, and something is odd. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "failed";
  readonly message: string;
  /** What to do; absent when all is well. */
  readonly remedy?: string;
}

/** The oldest Node that the daemon runs on. */
const NODE = { major: 20, minor: 19 };
/** Less disk space is worth a word; much less, and commits fail soon. */
const LITTLE_BYTES = 1024 ** 3;
const LEAST_BYTES = 64 * 1024 ** 2;
const MIB = 1024 ** 2;
/** A key that has stored so much of what it may is worth a word. */
const NEARLY_FULL = 0.9;
/** A file of the daemon's from further in the future was written by another clock. */
const CLOCK_MS = 60_000;
/** A login shell that takes longer delays the first agent. */
const SLOW_SHELL_MS = 3_000;

/** Checks everything, one thing after another. No check changes anything, or starts an agent. */
export async function* findings(stateDir: string): AsyncIterable<Finding> {
  yield nodeVersion();
  yield await nativeLibrary();
  const directory = await stateDirectory(stateDir);
  yield directory;
  if (directory.state === "failed") return;
  yield socketPath(stateDir);
  yield await diskSpace(stateDir);
  yield await clock(stateDir);
  const config = await configuration(stateDir);
  yield config.finding;
  const daemon = await daemonState(stateDir);
  yield daemon.finding;
  if (daemon.isRunning) yield await storedBytes(stateDir);
  yield await damagedStores(stateDir);
  if (config.file === undefined) return;
  if (config.file.port !== undefined && !daemon.isRunning) yield await port(config.file.port);
  const shell = await loginShell(config.file);
  yield shell.finding;
  yield agentsOnPath(config.file, shell.env);
}

function nodeVersion(): Finding {
  const check = "Node.js";
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNew = major > NODE.major || (major === NODE.major && minor >= NODE.minor);
  const message = `${process.version}, ${process.execPath}`;
  if (isNew) return { check, state: "ok", message };
  return { check, state: "failed", message, remedy: `Install Node.js ${NODE.major}.${NODE.minor} or newer.` };
}

async function nativeLibrary(): Promise<Finding> {
  const check = "SQLite library";
  try {
    const { openDatabase } = await import("../../sqlite-library.js");
    openDatabase(":memory:").close();
    return { check, state: "ok", message: "the native library loads" };
  } catch (error) {
    const remedy = "Install @daemon-sdk/local-daemon again on this machine, with optional dependencies.";
    return { check, state: "failed", message: textOf(error), remedy };
  }
}

async function stateDirectory(stateDir: string): Promise<Finding> {
  const check = "state directory";
  try {
    if (await checkStateDir(stateDir)) return { check, state: "ok", message: `${stateDir}, yours alone` };
    return { check, state: "ok", message: `${stateDir} is made by the first start` };
  } catch (error) {
    const text = textOf(error);
    const command = /Run: (.+)$/.exec(text)?.[1];
    return {
      check,
      state: "failed",
      message: text,
      remedy: command ?? "Set DAEMON_SDK_HOME to a directory of your own.",
    };
  }
}

function socketPath(stateDir: string): Finding {
  const check = "socket path";
  try {
    const path = socketPathOf(stateDir);
    return { check, state: "ok", message: `${path} (${Buffer.byteLength(path)} bytes)` };
  } catch (error) {
    return {
      check,
      state: "failed",
      message: textOf(error),
      remedy: "Set DAEMON_SDK_HOME to a directory with a shorter path.",
    };
  }
}

async function diskSpace(stateDir: string): Promise<Finding> {
  const check = "disk space";
  const place = await existing(stateDir);
  const { bavail, bsize } = await statfs(place);
  const bytes = bavail * bsize;
  const message = `${Math.floor(bytes / MIB).toLocaleString("en")} MiB free at ${place}`;
  if (bytes >= LITTLE_BYTES) return { check, state: "ok", message };
  const remedy = 'Free some space. "local-daemon sessions --all" lists what is stored.';
  return { check, state: bytes < LEAST_BYTES ? "failed" : "warning", message, remedy };
}

/** Positions and times of entries come from the clock: one that went back makes new sessions look old. */
async function clock(stateDir: string): Promise<Finding> {
  const check = "clock";
  const times = await Promise.all(
    [STATE_FILES.database, STATE_FILES.log].map((name) =>
      stat(join(stateDir, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  const aheadMs = Math.max(...times) - Date.now();
  if (aheadMs < CLOCK_MS) return { check, state: "ok", message: new Date().toISOString().slice(0, 19) };
  const message = `The store was written ${Math.round(aheadMs / CLOCK_MS)} minutes in the future.`;
  return { check, state: "warning", message, remedy: "Set the clock, best by NTP." };
}

async function configuration(stateDir: string): Promise<{ finding: Finding; file?: ConfigFile }> {
  const check = "configuration";
  const path = configPathOf(stateDir);
  if ((await lstat(path).catch(() => undefined)) === undefined) {
    return { finding: { check, state: "ok", message: `no ${path}: defaults hold` }, file: {} };
  }
  const remedy = '"local-daemon config check" prints all faults with line and column.';
  try {
    const problems = await checkConfigFile(path);
    const [first] = problems;
    if (first !== undefined) {
      const message = `${path}:${first.line}: ${first.key} ${first.message} (${problems.length} in all)`;
      return { finding: { check, state: "failed", message, remedy } };
    }
    return { finding: { check, state: "ok", message: path }, file: await readConfigFile(stateDir) };
  } catch (error) {
    return { finding: { check, state: "failed", message: textOf(error), remedy: `chmod 600 '${path}'` } };
  }
}

async function daemonState(stateDir: string): Promise<{ finding: Finding; isRunning: boolean }> {
  const check = "daemon";
  const found = await probeLocalDaemon(stateDir);
  if (found !== undefined) {
    found.link.transport.terminate();
    const { pid, version } = found.record;
    if (version === LOCAL_DAEMON_VERSION) {
      return { finding: { check, state: "ok", message: `runs (pid ${pid}, version ${version})` }, isRunning: true };
    }
    const message = `runs with version ${version}, and this is ${LOCAL_DAEMON_VERSION} (pid ${pid})`;
    const remedy = 'Stop it and start it again: "local-daemon stop", "local-daemon start".';
    return { finding: { check, state: "warning", message, remedy }, isRunning: true };
  }
  return { finding: await notRunning(check, stateDir), isRunning: false };
}

async function notRunning(check: string, stateDir: string): Promise<Finding> {
  const lock = join(stateDir, STATE_FILES.lock);
  const record = await readEndpoint(stateDir);
  if ((await lstat(lock).catch(() => undefined)) !== undefined) {
    try {
      (await lockStateDir(stateDir)).release();
    } catch {
      const pid =
        record === undefined
          ? "Its pid is in no file: look for the process that has the lock open"
          : `pid ${record.pid}`;
      const remedy = `${pid}. See "local-daemon logs", then end that process.`;
      return { check, state: "failed", message: "A process holds the state directory and does not answer.", remedy };
    }
  }
  if (record === undefined) return { check, state: "ok", message: "does not run" };
  const message = `does not run; the last one (pid ${record.pid}) was killed, and left its files`;
  return {
    check,
    state: "warning",
    message,
    remedy: 'Nothing: the next start clears them. "local-daemon logs" shows its end.',
  };
}

async function damagedStores(stateDir: string): Promise<Finding> {
  const check = "store";
  const damaged = await damagedStoresIn(stateDir);
  if (damaged.length === 0) return { check, state: "ok", message: "no damaged store was put aside" };
  const message = `A damaged store was put aside: ${damaged.join(", ")}. What was readable of it is in use.`;
  return { check, state: "warning", message, remedy: "Delete it when nothing is missing." };
}

async function storedBytes(stateDir: string): Promise<Finding> {
  const check = "stored bytes";
  try {
    using call = await callRunningDaemon(stateDir);
    const stored = await storedBytesOf(call);
    const message = stored.length === 0 ? "nothing" : printable(storedBytesText(stored));
    const full = stored.filter(({ bytes, maxBytes }) => maxBytes !== undefined && bytes >= maxBytes * NEARLY_FULL);
    if (full.length === 0) return { check, state: "ok", message };
    const names = printable(full.map(({ principal }) => principal).join(", "));
    const remedy = `Delete sessions of ${names}, or raise quotas.storedBytes: past it no prompt is accepted.`;
    return { check, state: "warning", message, remedy };
  } catch (error) {
    return {
      check,
      state: "warning",
      message: textOf(error),
      remedy: "See the line above: the daemon did not answer.",
    };
  }
}

async function port(wanted: number): Promise<Finding> {
  const check = "port";
  const server = createServer();
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once("error", resolve);
    server.listen(wanted, "127.0.0.1", () => resolve(undefined));
  });
  server.close();
  if (problem === undefined) return { check, state: "ok", message: `127.0.0.1:${wanted} is free` };
  const message = `127.0.0.1:${wanted}: ${problem.code}`;
  return { check, state: "failed", message, remedy: "End what listens there, or set another port in config.json." };
}

async function loginShell({
  loginShell: isRead = true,
}: ConfigFile): Promise<{ finding: Finding; env: NodeJS.ProcessEnv }> {
  const check = "login shell";
  let problem: string | undefined;
  const warn = (fields: object) => {
    problem = String(Reflect.get(fields, "problem"));
  };
  const logger = { ...silentLogger, warn };
  const since = performance.now();
  const env = await new LoginShell({ isRead, logger }).read();
  const ms = Math.round(performance.now() - since);
  if (!isRead) return { finding: { check, state: "ok", message: "is not read (loginShell: false)" }, env };
  if (problem !== undefined) {
    const remedy =
      "Mend the shell's start files, or set \"loginShell\": false. Until then agents get the daemon's own PATH.";
    return { finding: { check, state: "warning", message: problem, remedy }, env };
  }
  if (ms < SLOW_SHELL_MS) return { finding: { check, state: "ok", message: "was read in good time" }, env };
  const remedy = "Its start files delay the first agent of a daemon.";
  return { finding: { check, state: "warning", message: `took ${ms} ms`, remedy }, env };
}

function agentsOnPath(config: ConfigFile, env: NodeJS.ProcessEnv): Finding {
  const check = "agents";
  const specs = agentSpecs({ agents: config.agents ?? {}, agentPresets: config.agentPresets ?? true }, env);
  const missing = specs.filter(({ command }) => programPath(command[0], env.PATH) === undefined);
  const names = specs.filter((spec) => !missing.includes(spec)).map(({ name }) => name);
  if (missing.length > 0) {
    const message = `no such program: ${missing.map(({ name, command }) => `${command[0]} (${name})`).join(", ")}`;
    return { check, state: "failed", message, remedy: "Install it, or correct its command in config.json." };
  }
  const message = names.length === 0 ? "none but the embedded one" : names.join(", ");
  return { check, state: "ok", message: `${message}; "local-daemon agents" starts each once` };
}

/** The directory itself, or the nearest one above it that is there. */
async function existing(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    if ((await stat(place).catch(() => undefined)) !== undefined) return place;
    if (place === dirname(place)) return place;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
