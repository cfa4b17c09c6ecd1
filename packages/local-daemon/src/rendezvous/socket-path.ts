import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ConnectionError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import { storageFailure, TEMP_SUFFIX } from "./private-file.js";
import { checkStateDir, defaultStateDir, isFileError, runtimeDir } from "./state-dir.js";

const PUBLISHED = "daemon.sock";
const PRIVATE = /^daemon\.[0-9a-f]{8}\.sock$/;

/** The two names of a daemon's socket. It is bound under the private one and renamed to the published one. */
export interface SocketPaths {
  readonly directory: string;
  readonly published: string;
  readonly private: string;
  /** Where the daemon listens for its successors, as long as it holds agents for them. */
  readonly holder: string;
}

/** Identity of a file: a name may have passed to another one meanwhile. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/**
 * Where the socket of a state directory is: for the default state directory in `$XDG_RUNTIME_DIR/daemon-sdk` where that can be had, else
 * in the state directory, or, where the path would be too long for a unix socket, in a directory with a short hashed name under
 * the temporary directory, held to the same rules. Clients read the path in the endpoint file.
 *
 * Rejects with `STATE_DIR_UNSAFE` when none is safe and short enough, with `STORAGE_FULL` or `STORAGE_FAILED`.
 */
export async function openSocketPaths(
  stateDir: string,
  instanceId: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<SocketPaths> {
  const runtime = await openRuntimeDir(stateDir, env);
  const near = pathsIn(runtime ?? stateDir, instanceId);
  if (fits(near.private)) return near;
  const short = shortPaths(stateDir, instanceId);
  try {
    await mkdir(short.directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw storageFailure("create the socket's directory (TMPDIR names its parent)", short.directory, cause);
  }
  await checkStateDir(dirname(short.directory));
  await checkStateDir(short.directory);
  return short;
}

/** Where the next daemon of a state directory listens, as far as that can be told without making anything. Throws as above. */
export function socketPathOf(stateDir: string, env: NodeJS.ProcessEnv = process.env): string {
  const runtime = stateDir === defaultStateDir(env) ? runtimeDir(env) : undefined;
  // All private names have the same length.
  const near = pathsIn(runtime ?? stateDir, "00000000");
  return (fits(near.private) ? near : shortPaths(stateDir, "00000000")).published;
}

function shortPaths(stateDir: string, instanceId: string): SocketPaths {
  const uid = process.getuid?.() ?? "user";
  const mine = join(tmpdir(), `daemon-sdk-${uid}`);
  const short = pathsIn(join(mine, createHash("sha256").update(stateDir).digest("hex").slice(0, 12)), instanceId);
  if (fits(short.private)) return short;
  throw new ConnectionError(
    "STATE_DIR_UNSAFE",
    `No socket path of at most ${SERVING_LIMITS.socketPathBytes} bytes can be made from ${stateDir} or ${tmpdir()}. ` +
      "Set DAEMON_SDK_HOME to a directory with a shorter path.",
  );
}

/** The runtime directory for the default state directory's socket; undefined where it is missing, unsafe, or not for this one. */
async function openRuntimeDir(stateDir: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const runtime = runtimeDir(env);
  if (runtime === undefined || stateDir !== defaultStateDir(env)) return undefined;
  try {
    // Not its parent: a log-in makes that one, and a variable that names nothing is left over from one that ended.
    await mkdir(runtime, { mode: 0o700 }).catch((error: unknown) => {
      if (!isFileError(error, "EEXIST")) throw error;
    });
    return (await checkStateDir(runtime)) ? runtime : undefined;
  } catch {
    return undefined;
  }
}

/** Gives the bound socket its published name, in one step; whatever had that name before loses it. */
export async function publishSocket(paths: SocketPaths): Promise<FileIdentity> {
  const { dev, ino } = await lstat(paths.private);
  await rename(paths.private, paths.published);
  return { dev, ino };
}

/** Removes `path` if it is still that very file. Call it while holding the lock, so that no successor can publish in between. */
export async function unlinkIfSame(path: string, identity: FileIdentity): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.dev === identity.dev && found.ino === identity.ino) await unlink(path).catch(() => {});
}

/** Removes what dead daemons left half-done: private socket names and temporary files. For the holder of the lock only. */
export async function sweepLeftovers(stateDir: string, paths: SocketPaths): Promise<string[]> {
  const swept: string[] = [];
  for (const directory of new Set([stateDir, paths.directory])) {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (!(PRIVATE.test(name) || name.endsWith(TEMP_SUFFIX)) || path === paths.private) continue;
      await rm(path, { force: true });
      swept.push(name);
    }
  }
  return swept;
}

function pathsIn(directory: string, instanceId: string): SocketPaths {
  return {
    directory,
    published: join(directory, PUBLISHED),
    private: join(directory, `daemon.${instanceId.slice(0, 8)}.sock`),
    holder: join(directory, `holder.${instanceId.slice(0, 8)}.sock`),
  };
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= SERVING_LIMITS.socketPathBytes;
}
