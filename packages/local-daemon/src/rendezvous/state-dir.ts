import { lstatSync, type Stats } from "node:fs";
import { isAbsolute, join } from "node:path";
import { ConnectionError } from "@daemon-sdk/protocol";
import { homeDirectory } from "../home-directory.js";
import { makeDirectory } from "./make-directory.js";
import { fileErrorCode, storageFailure } from "./private-file.js";

/** Last component of the state directory, wherever it lies. */
const NAME = "daemon-sdk";

/** Files of a state directory by what they hold. */
export const STATE_FILES = {
  lock: "lock.db",
  token: "token",
  endpoint: "endpoint.json",
  /** Which program runs the daemon, unless it is the default one. */
  owner: "owner.json",
  database: "daemon.db",
  /** The search index: a cache of the database. */
  search: "search.db",
  config: "config.json",
  log: "daemon.log",
  /** Where agents may keep conversations. */
  agents: "agents",
  /** Webhooks of `local-daemon serve`, and how far they got. */
  webhooks: "webhooks",
  /** The last link to the console that a browser was started with. It works once. */
  consoleLink: "console.html",
  /** Somebody launches a daemon at the moment. */
  launching: "launching",
  /** Where the former daemon holds agents for the next one. */
  handOver: "hand-over.json",
} as const;

/**
 * Where the daemon of this user keeps its state: `DAEMON_SDK_HOME`, else `$XDG_STATE_HOME/daemon-sdk`, else
 * `~/.local/state/daemon-sdk`; a user without a home gets `$XDG_RUNTIME_DIR/daemon-sdk`. Never a directory others can write to.
 *
 * `XDG_RUNTIME_DIR` does not count otherwise: a log-out empties it, and programs without a log-in session lack it.
 * Only names the place; {@link openStateDir} creates and checks it. Throws `STATE_DIR_UNSAFE` when no absolute path can
 * be named, with what to set.
 */
export function resolveStateDir(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env.DAEMON_SDK_HOME;
  if (chosen) {
    if (isAbsolute(chosen)) return chosen;
    throw unsafe(`DAEMON_SDK_HOME is "${chosen}", which is not an absolute path. Set it to one, or unset it.`);
  }
  const place = defaultStateDir(env) ?? runtimeDir(env);
  if (place !== undefined) return place;
  throw unsafe(
    "There is no place for the daemon's state: HOME is not set. Set HOME, or DAEMON_SDK_HOME to a directory of your own.",
  );
}

/** The place of the state where `DAEMON_SDK_HOME` names none; undefined for a user without a home. */
export function defaultStateDir(env: NodeJS.ProcessEnv): string | undefined {
  // A relative path in an XDG variable is to be ignored, says the XDG base directory specification.
  const { XDG_STATE_HOME: states } = env;
  if (states && isAbsolute(states)) return join(states, NAME);
  const home = process.platform === "win32" ? homeDirectory() : env.HOME;
  return home && isAbsolute(home) ? join(home, ".local", "state", NAME) : undefined;
}

/** The directory of this user's sockets, which ends with the log-in; undefined where there is none. */
export function runtimeDir(env: NodeJS.ProcessEnv): string | undefined {
  const { XDG_RUNTIME_DIR: runtime } = env;
  return runtime && isAbsolute(runtime) ? join(runtime, NAME) : undefined;
}

/**
 * Creates the directory (mode 0700 from birth, its missing parents, too) and makes sure that it is safe.
 *
 * Rejects with `STATE_DIR_UNSAFE`; an existing directory is never changed, because its mode may be somebody's decision.
 */
export async function openStateDir(path: string): Promise<string> {
  if (!isAbsolute(path)) throw unsafe(`The state directory "${path}" is not an absolute path. Name one that is.`);
  try {
    await makeDirectory(path);
  } catch (cause) {
    throw storageFailure("create the state directory (DAEMON_SDK_HOME names another)", path, cause);
  }
  await checkStateDir(path);
  return path;
}

/**
 * Whether the directory exists and is safe: a real directory (no symlink), ours, closed to group and others.
 *
 * False when there is none; rejects with `STATE_DIR_UNSAFE` when there is one that others could read, replace or own.
 */
export async function checkStateDir(path: string): Promise<boolean> {
  const found = entryAt(path);
  if (found === undefined) return false;
  if (found.isSymbolicLink()) {
    throw unsafe(`${path} is a symbolic link. Remove it, or set DAEMON_SDK_HOME to the directory itself.`);
  }
  if (!found.isDirectory()) throw unsafe(`${path} is not a directory. Remove it, or set DAEMON_SDK_HOME to another.`);
  const uid = process.getuid?.();
  if (uid === undefined) return true;
  if (found.uid !== uid) {
    throw unsafe(
      `${path} belongs to uid ${found.uid}, this process runs as uid ${uid}. Set DAEMON_SDK_HOME to a directory of your own.`,
    );
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
    throw unsafe(`${path} has mode ${mode}: others can get at it, and it must be 0700. Run: chmod 700 '${path}'`);
  }
  return true;
}

/** Without a thread, as `readPrivateFile` reads: each connection of a client looks at its state directory. */
function entryAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    if (isFileError(cause, "ENOTDIR")) return undefined;
    throw storageFailure("look at the state directory", path, cause);
  }
}

/** Whether `error` is a failed file operation with that code, such as `ENOENT`. */
export function isFileError(error: unknown, code: string): boolean {
  return fileErrorCode(error) === code;
}

function unsafe(message: string): ConnectionError {
  return new ConnectionError("STATE_DIR_UNSAFE", message);
}
