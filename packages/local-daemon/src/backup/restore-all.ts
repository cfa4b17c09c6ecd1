import { existsSync } from "node:fs";
import { copyFile, cp, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DaemonError, isRecord } from "@daemon-sdk/protocol";
import { lockStateDir, openStateDir, STATE_FILES, storageFailure } from "../rendezvous/index.js";
import { checkDatabase } from "../storage/index.js";
import { BACKUP_FORMAT, type BackupManifest, COPIED_PLACES, MANIFEST } from "./backup-files.js";

/** What to restore, and where to. */
export interface RestoreAllOptions {
  /** A directory that `exportAll` made. */
  readonly from: string;
  /** A state directory without a store; made when it is not there. */
  readonly stateDir: string;
}

/**
 * Makes a backup the state of a daemon. The next start ends turns that ran at the moment of the backup, as after a crash.
 *
 * The store has its place last: a restore that is cut off leaves a directory without a store, into which the next one goes. Rejects
 * with `DAEMON_ALREADY_RUNNING`, and with `STORAGE_FAILED` when the backup is not whole, or there is a store already.
 */
export async function restoreAll({ from, stateDir }: RestoreAllOptions): Promise<BackupManifest> {
  const manifest = await readManifest(from);
  const copy = join(from, STATE_FILES.database);
  checkDatabase(copy);
  const lock = await lockStateDir(await openStateDir(stateDir));
  try {
    const store = join(stateDir, STATE_FILES.database);
    await refuseStore(store);
    for (const name of COPIED_PLACES) await copyOver(join(from, name), join(stateDir, name));
    const draft = `${store}.restoring`;
    await rm(draft, { force: true });
    await copyFile(copy, draft);
    await flush(draft);
    // Left by an earlier store, it would be taken for this one's.
    for (const suffix of ["-wal", "-shm", "-journal"]) await rm(store + suffix, { force: true });
    await rename(draft, store);
    await flush(stateDir);
  } catch (cause) {
    throw DaemonError.is(cause) ? cause : storageFailure("restore into", stateDir, cause);
  } finally {
    lock.release();
  }
  return manifest;
}

async function readManifest(from: string): Promise<BackupManifest> {
  const path = join(from, MANIFEST);
  const read: unknown = await readFile(path, "utf8")
    .then(JSON.parse)
    .catch(() => undefined);
  if (!isRecord(read) || typeof read.format !== "number") {
    throw new DaemonError(
      "STORAGE_FAILED",
      `${from} is no whole backup: it has no ${MANIFEST}, which is written last.`,
    );
  }
  if (read.format > BACKUP_FORMAT) {
    throw new DaemonError(
      "STORAGE_FAILED",
      `The backup ${from} was made by a later version (${String(read.version)}). Use that one.`,
    );
  }
  return read as unknown as BackupManifest;
}

async function refuseStore(store: string): Promise<void> {
  const found = await stat(store).catch(() => undefined);
  if (found === undefined || found.size === 0) return;
  throw new DaemonError(
    "STORAGE_FAILED",
    `There is a store already: ${store}. Move it away, or restore into another directory (DAEMON_SDK_HOME).`,
  );
}

async function copyOver(from: string, to: string): Promise<void> {
  if (existsSync(from)) await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}

async function flush(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.chmod((await file.stat()).isDirectory() ? 0o700 : 0o600);
    await file.sync();
  } finally {
    await file.close();
  }
}
