import { STATE_FILES } from "../rendezvous/index.js";

/** The file that says what a backup holds. It is written last: a directory without it is no backup. */
export const MANIFEST = "backup.json";

/** Counts the layouts of backups; a larger one is of a later version. */
export const BACKUP_FORMAT = 1;

/** What a backup holds beside the store, by its name in the state directory. */
export const COPIED_PLACES: readonly string[] = [STATE_FILES.agents, STATE_FILES.config, STATE_FILES.webhooks];

/** Content of {@link MANIFEST}. */
export interface BackupManifest {
  readonly format: number;
  /** Version of the program that made it. */
  readonly version: string;
  /** ISO time at which the copy of the store began: nothing that came later is in it. */
  readonly createdAt: string;
  /** Steps of the store's schema. */
  readonly schema: number;
  readonly sessions: number;
}
