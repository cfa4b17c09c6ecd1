import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { ConnectionError, type DaemonError } from "@daemon-sdk/protocol";
import { failpoint } from "../failpoint.js";
import { PROCESS_LIMITS } from "../limits/index.js";
import { type Database, openDatabase } from "../sqlite-library.js";
import { storageFailure } from "./private-file.js";

/** SQLite's result codes of a held lock, without the extended part. */
const BUSY_CODES = new Set([5, 6]);

/** The right to be the daemon of a state directory, held until it is released or the process ends. */
export interface InstanceLock {
  release(): void;
}

/**
 * Takes the exclusive lock on `path`, or rejects with `DAEMON_ALREADY_RUNNING`.
 *
 * An exclusive SQLite transaction that is never finished: the kernel holds the lock and frees it when the process is
 * gone, by SIGKILL, too; it is the same on every system and across network namespaces (docs/security.md, "One daemon").
 * The file stays empty, and is never unlinked: a new file under the same name would be a second lock.
 */
export async function acquireInstanceLock(path: string): Promise<InstanceLock> {
  await createEmpty(path);
  failpoint("lock-file-made");
  const database = openLock(path);
  try {
    // Nothing is ever written, so there is nothing to roll back; a journal beside the lock would only be left behind.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw lockFailure(path, cause);
  }
  return { release: () => database.close() };
}

/** SQLite would follow a link and create the file with whatever mode the umask leaves. */
async function createEmpty(path: string): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    await file.close();
  } catch (cause) {
    throw storageFailure("open the lock", path, cause);
  }
}

function openLock(path: string): Database {
  try {
    return openDatabase(path, { timeout: PROCESS_LIMITS.lockMs });
  } catch (cause) {
    throw lockFailure(path, cause);
  }
}

function lockFailure(path: string, cause: unknown): DaemonError {
  const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) & 0xff : 0;
  if (!BUSY_CODES.has(code)) return storageFailure("lock", path, cause);
  return new ConnectionError(
    "DAEMON_ALREADY_RUNNING",
    `Another daemon holds ${path}. Connect to it, stop it with "local-daemon stop", or use another DAEMON_SDK_HOME.`,
    { cause },
  );
}
