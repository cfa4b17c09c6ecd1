import { existsSync } from "node:fs";
import { cp, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DaemonError } from "@daemon-sdk/protocol";
import { checkStateDir, makeDirectory, STATE_FILES, storageFailure } from "../rendezvous/index.js";
import { copyDatabase } from "../storage/index.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import { BACKUP_FORMAT, type BackupManifest, COPIED_PLACES, MANIFEST } from "./backup-files.js";

/** What to back up, and where to. */
export interface ExportAllOptions {
  readonly stateDir: string;
  /** A directory that is not there yet, or is empty. */
  readonly to: string;
  /** Wall clock in ms; default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Copies everything that a daemon keeps into a directory that only this user can read; a daemon that runs goes on.
 *
 * The store is copied as it is at one moment, in the middle of turns, too. What agents keep is copied after it: a conversation there
 * may be one turn ahead, and never behind. Neither credentials of this run, nor the log, nor the search index are in a backup.
 * Rejects with `STORAGE_FAILED` or `STORAGE_FULL`.
 */
export async function exportAll({ stateDir, to, now = Date.now }: ExportAllOptions): Promise<BackupManifest> {
  const store = join(stateDir, STATE_FILES.database);
  if (!(await checkStateDir(stateDir)) || !existsSync(store)) {
    throw new DaemonError("STORAGE_FAILED", `There is nothing to back up: no daemon ever ran with ${stateDir}.`);
  }
  try {
    await makeDirectory(to);
    await refuseOthers(to);
  } catch (cause) {
    throw DaemonError.is(cause) ? cause : storageFailure("create the backup's directory", to, cause);
  }
  const createdAt = new Date(now()).toISOString();
  const copied = copyDatabase(store, join(to, STATE_FILES.database));
  for (const name of COPIED_PLACES) await copyPlace(join(stateDir, name), join(to, name));
  const manifest = { format: BACKUP_FORMAT, version: LOCAL_DAEMON_VERSION, createdAt, ...copied };
  await writeFile(join(to, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  return manifest;
}

/** It will hold conversations and keys, and nothing of it may be mistaken for a part of the backup. */
async function refuseOthers(to: string): Promise<void> {
  const { mode } = await stat(to);
  if ((mode & 0o077) !== 0) {
    throw new DaemonError("STORAGE_FAILED", `Others can read ${to}. Name another directory, or run: chmod 700 '${to}'`);
  }
  if ((await readdir(to)).length > 0) {
    throw new DaemonError("STORAGE_FAILED", `${to} is not empty. Name a directory that is not there yet.`);
  }
}

async function copyPlace(from: string, to: string): Promise<void> {
  try {
    if (existsSync(from)) await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  } catch (cause) {
    throw storageFailure("copy", from, cause);
  }
}
