import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { DaemonError } from "@daemon-sdk/protocol";
import { failpoint } from "../failpoint.js";
import { PROCESS_LIMITS } from "../limits/index.js";

/** Suffix of a file that is being written. The next daemon removes leftover ones. */
export const TEMP_SUFFIX = ".tmp";

/**
 * Writes a file that only we can read, so that readers see the old content or the new one, never a part.
 *
 * Temporary name (fresh, `O_EXCL | O_NOFOLLOW`, 0600 whatever the umask), fsync, rename. The rename itself is not synced:
 * these files describe a running process, which a power loss ends.
 * Rejects with `STORAGE_FULL` or `STORAGE_FAILED`, naming the path and the system's code.
 */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const temp = `${path}.${randomBytes(6).toString("hex")}${TEMP_SUFFIX}`;
  try {
    await writeNew(temp, content);
    failpoint("private-file-written");
    await rename(temp, path);
    failpoint("private-file-renamed");
  } catch (cause) {
    await rm(temp, { force: true }).catch(() => {});
    throw storageFailure("write", path, cause);
  }
}

/**
 * Content of a small private file, or undefined when there is none that we would have written: missing, a symbolic
 * link, not a regular file, of another user, open to others, or too large. Never rejects.
 *
 * Read without a thread: a client reads two such files for each connection, and five visits to the thread pool take longer than the
 * handshake that follows. A few hundred bytes that were just written are in memory.
 */
export function readPrivateFile(path: string): Promise<string | undefined> {
  return Promise.resolve(readNow(path));
}

function readNow(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { mode, size, uid } = fstatSync(file);
    const ours = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || !ours || size > PROCESS_LIMITS.privateFileBytes)
      return undefined;
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * The system's code of a failed file operation, such as `ENOENT`; undefined for another error. By its fields, because test runners run
 * modules in a realm of their own, whose `Error` is not that of Node's own modules.
 */
export function fileErrorCode(error: unknown): string | undefined {
  const code: unknown = Reflect.get(Object(error), "code");
  return typeof code === "string" ? code : undefined;
}

/** A failed file operation as a typed error, with the operation, the path and the system's error. */
export function storageFailure(doing: string, path: string, cause: unknown): DaemonError {
  const code = fileErrorCode(cause) ?? "unknown error";
  const isFull = code === "ENOSPC" || code === "EROFS" || code === "EDQUOT";
  const fix = isFull ? "Free some space or make it writable, then try again" : "Check the path and its permissions";
  return new DaemonError(isFull ? "STORAGE_FULL" : "STORAGE_FAILED", `Could not ${doing} ${path}: ${code}. ${fix}.`, {
    cause,
  });
}

async function writeNew(path: string, content: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    // A umask can only have taken bits away (0777 would leave a file that its owner cannot read).
    await file.chmod(0o600);
    failpoint("private-file-made");
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
