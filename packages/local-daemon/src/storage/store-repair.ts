import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DaemonError, Logger } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import { type Database, openDatabase } from "../sqlite-library.js";
import { type SalvageReport, salvageInThread } from "./salvage/index.js";
import { MIGRATIONS } from "./schema.js";
import { isDamage, isRefusedRow, resultCode, storageError, unusableFile } from "./storage-error.js";

/** A store that was damaged, and what became of it. */
export interface Repaired extends SalvageReport {
  /** Where the damaged file was put. */
  readonly quarantine: string;
}

/**
 * Finds out whether a store's file is damaged, before it is opened, and replaces a damaged one by a copy of what can be read.
 *
 * A file beside it (`.salvage`) says that a read met damage, or, once the damaged file was put aside, where it is: a start
 * that is killed in between is continued by the next one, which never begins with an empty store instead.
 */
export class StoreRepair {
  readonly #path: string;
  readonly #note: string;
  readonly #now: () => number;
  readonly #logger: Logger;

  constructor(options: { path: string; now: () => number; logger: Logger }) {
    this.#path = options.path;
    this.#note = `${options.path}.salvage`;
    this.#now = options.now;
    this.#logger = options.logger;
  }

  /** Has the next start check the file, after a read met damage. Best effort: the disk may be what is broken. */
  note(): void {
    if (existsSync(this.#note)) return;
    this.#logger.error({ path: this.#path }, "the store is damaged: the next start copies what is readable");
    try {
      writeFileSync(this.#note, "{}", { mode: 0o600 });
    } catch {
      // A start after a kill checks the file in any case.
    }
  }

  /** Repairs the file when a check finds damage. Rejects with `STORAGE_FAILED` and the remedy when nothing of it can be used. */
  async beforeOpen(): Promise<Repaired | undefined> {
    const unfinished = this.#unfinished();
    if (unfinished !== undefined) return this.#replace(unfinished);
    const size = this.#refuseDirectory();
    const isNoted = existsSync(this.#note);
    if (size === 0) rmSync(this.#note, { force: true });
    // A check of pages does not see content that was overwritten, which a read met.
    else if (isNoted || this.#isDamagedByKill(size)) return this.repair();
    return undefined;
  }

  /**
   * Whether nothing has the file open any more. The library closes a connection late; one in WAL mode would then delete the log
   * of the file's successor. The next process has none.
   */
  get canRepair(): boolean {
    return !existsSync(`${this.#path}-wal`);
  }

  /** Puts the file aside and replaces it. Nothing may have it open. */
  async repair(): Promise<Repaired> {
    this.#refuseUnreadable();
    const quarantine = `${this.#path}.damaged-${new Date(this.#now()).toISOString().replace(/[:.]/g, "-")}`;
    writeFileSync(this.#note, JSON.stringify({ quarantine: basename(quarantine) }), { mode: 0o600, flush: true });
    return this.#replace(quarantine);
  }

  async #replace(quarantine: string): Promise<Repaired> {
    if (!existsSync(quarantine)) {
      if (existsSync(`${this.#path}-wal`)) renameSync(`${this.#path}-wal`, `${quarantine}-wal`);
      renameSync(this.#path, quarantine);
    }
    this.#logger.warn({ quarantine }, "the store is damaged: copying what is readable");
    const copy = `${this.#note}d`;
    rmSync(copy, { force: true });
    const report = await salvageInThread({ from: quarantine, to: copy, now: this.#now() });
    renameSync(copy, this.#path);
    syncDirectory(dirname(this.#path));
    rmSync(this.#note, { force: true });
    this.#logger.error({ quarantine, ...report }, "the store was damaged: what was readable is in a new file");
    return { ...report, quarantine };
  }

  /** The quarantine of a repair that an earlier start did not finish. */
  #unfinished(): string | undefined {
    if (!existsSync(this.#note)) return undefined;
    const { quarantine } = parsed(readFileSync(this.#note, "utf8"));
    if (quarantine === undefined) return undefined;
    const path = join(dirname(this.#path), quarantine);
    if (!existsSync(path) && !existsSync(this.#path)) return undefined;
    // Both are there once the copy has its place.
    if (!existsSync(path) || !existsSync(this.#path)) return path;
    rmSync(this.#note, { force: true });
    return undefined;
  }

  /** Size of the file, 0 when there is none. Throws for a directory, of which SQLite says only that it cannot be opened. */
  #refuseDirectory(): number {
    const found = lstatSync(this.#path, { throwIfNoEntry: false });
    if (found === undefined) return 0;
    if (found.isDirectory()) throw unusableFile(this.#path, "is a directory");
    return found.size;
  }

  /** Whether the last daemon did not close the file, and it is damaged. Reads all of it. */
  #isDamagedByKill(size: number): boolean {
    if (size > STORAGE_LIMITS.checkBytes || !existsSync(`${this.#path}-wal`)) return false;
    try {
      // As a constraint, so that no prepared statement keeps the file open.
      withDatabase(this.#path, (database) =>
        database.exec(
          "CREATE TEMP TABLE found (said TEXT CHECK (said = 'ok')); INSERT INTO found SELECT * FROM pragma_quick_check",
        ),
      );
      return false;
    } catch (error) {
      return isRefusedRow(error) || isDamage(error);
    }
  }

  /** Throws when nothing could be copied: without its schema, or when a newer daemon wrote it. */
  #refuseUnreadable(): void {
    try {
      withDatabase(this.#path, (database) => {
        database.exec("SELECT id FROM sessions LIMIT 0");
        database.exec(
          `CREATE TEMP TABLE known (version INTEGER CHECK (version BETWEEN 1 AND ${MIGRATIONS.length}));
           INSERT INTO known SELECT * FROM pragma_user_version`,
        );
      });
    } catch (error) {
      rmSync(this.#note, { force: true });
      throw this.#unreadable(error);
    }
  }

  #unreadable(error: unknown): DaemonError {
    const code = resultCode(error);
    if (code === 19)
      return unusableFile(this.#path, "is damaged, and was written by another version of the daemon", error);
    if (code === 26) return unusableFile(this.#path, "is not a database", error);
    // 1: no such table.
    if (code === 1 || isDamage(error))
      return unusableFile(this.#path, "is damaged, and nothing of it can be read", error);
    return storageError(this.#path, error);
  }
}

function withDatabase(path: string, work: (database: Database) => void): void {
  const database = openDatabase(path, { defensive: false });
  try {
    // With a schema that may be written, SQLite also opens a file that was cut off.
    database.exec("PRAGMA writable_schema=ON; PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY");
    work(database);
  } finally {
    database.close();
  }
}

function parsed(text: string): { quarantine?: string } {
  try {
    const { quarantine } = JSON.parse(text) as { quarantine?: unknown };
    return typeof quarantine === "string" ? { quarantine: basename(quarantine) } : {};
  } catch {
    return {};
  }
}

/** A rename is on the disk once its directory is. */
function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
