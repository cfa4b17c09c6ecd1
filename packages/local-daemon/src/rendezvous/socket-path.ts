import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm, unlink } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { ConnectionError, LIMITS } from "@daemon-sdk/protocol";
import { TEMP_SUFFIX } from "./private-file.js";
import { checkStateDir } from "./state-dir.js";

const PUBLISHED = "daemon.sock";
const PRIVATE = /^daemon\.[0-9a-f]{8}\.sock$/;

/** The two names of a daemon's socket. It is bound under the private one and renamed to the published one. */
export interface SocketPaths {
  readonly directory: string;
  readonly published: string;
  readonly private: string;
}

/** Identity of a file: a name may have passed to another one meanwhile. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/**
 * Where the socket of a state directory lies: in it, or, where the path would be too long for a unix socket, in a
 * directory with a short hashed name under the temporary directory, held to the same rules.
 *
 * Rejects with `STATE_DIR_UNSAFE` when that one is not safe, or too long as well.
 */
export async function openSocketPaths(stateDir: string, instanceId: string): Promise<SocketPaths> {
  const near = pathsIn(stateDir, instanceId);
  if (fits(near.private)) return near;
  const mine = join(tmpdir(), `daemon-sdk-${userInfo().uid}`);
  const short = pathsIn(join(mine, createHash("sha256").update(stateDir).digest("hex").slice(0, 12)), instanceId);
  if (!fits(short.private)) {
    throw new ConnectionError(
      "STATE_DIR_UNSAFE",
      `No socket path of at most ${LIMITS.socketPathBytes} bytes can be made from ${stateDir} or ${tmpdir()}. ` +
        "Set DAEMON_SDK_HOME to a directory with a shorter path.",
    );
  }
  await mkdir(short.directory, { recursive: true, mode: 0o700 });
  await checkStateDir(mine);
  await checkStateDir(short.directory);
  return short;
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
  };
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= LIMITS.socketPathBytes;
}
