import { DaemonError } from "@daemon-sdk/protocol";
import type { StatementSyncInstance } from "@photostructure/sqlite";
import { STORAGE_LIMITS } from "../limits/index.js";
import { type Database, openDatabase } from "../sqlite-library.js";
import { MIGRATIONS } from "./schema.js";
import { DamagedRow, isBusy, isDamage, isFull, storageError } from "./storage-error.js";

/** What may be bound: anything else would be written as something else, or not at all. */
export type SqlValue = string | number | Uint8Array | null;

/** One row as it was read. */
export type SqlRow = Readonly<Record<string, unknown>>;

/**
 * One SQLite file, held by this process alone, with statements prepared when they are first used.
 *
 * Failures of the native library come out as `STORAGE_FULL` (disk full, or read-only) or
 * `STORAGE_FAILED`, with the path in the text.
 */
export class SqliteDatabase {
  readonly #path: string;
  readonly #statements = new Map<string, StatementSyncInstance>();
  #database: Database | undefined;
  readonly #maxBytes: number | undefined;
  readonly #schema: readonly string[];
  readonly #onDamage: (() => void) | undefined;
  readonly #isCheckpointedElsewhere: boolean;
  #writtenBytes = 0;
  #isReadOnly = false;

  /**
   * @param path of the file, or `:memory:`
   * @param options.maxBytes the file may grow to; default: no bound of ours
   * @param options.schema steps to the present schema; default those of the store
   * @param options.onDamage called when a call meets a damaged page or row, before the call fails
   * @param options.isCheckpointedElsewhere whether another connection of this process checkpoints the file (`Checkpointer`)
   */
  constructor(
    path: string,
    options: {
      maxBytes?: number | undefined;
      schema?: readonly string[];
      onDamage?: () => void;
      isCheckpointedElsewhere?: boolean;
    } = {},
  ) {
    this.#path = path;
    this.#isCheckpointedElsewhere = options.isCheckpointedElsewhere ?? false;
    this.#maxBytes = options.maxBytes;
    this.#schema = options.schema ?? MIGRATIONS;
    this.#onDamage = options.onDamage;
  }

  /**
   * Opens the file, brings its schema up to date, and lets `durably` write in a transaction that survives power loss.
   *
   * Later transactions survive the death of the process only (`synchronous=NORMAL`): a flush to the disk for each would
   * cost more than everything else the daemon does.
   */
  open(durably: () => void): void {
    this.#guard(() => {
      this.#database = openDatabase(this.#path);
      // Exclusive before the file is read: of a killed daemon it is in WAL already, and SQLite then needs no shared memory file. A
      // second connection needs that file, and no other process opens the store: its daemon holds the state directory
      // (`acquireInstanceLock`).
      const lockingMode = this.#isCheckpointedElsewhere ? "NORMAL" : "EXCLUSIVE";
      this.#database.exec(
        `PRAGMA locking_mode=${lockingMode};
         PRAGMA busy_timeout=${this.#isCheckpointedElsewhere ? STORAGE_LIMITS.busyMs : 0};
         PRAGMA page_size=${STORAGE_LIMITS.databasePageBytes}; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL`,
      );
      // What a statement may have to undo is a few pages, and no reason to open another file.
      this.#database.exec("PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL");
      this.#setBounds();
      this.transaction(() => {
        this.#migrate();
        durably();
      });
      this.#makeShrinkable();
      this.#database.exec("PRAGMA synchronous=NORMAL");
    });
  }

  /**
   * Opens an existing file of the present schema, only to read it: every read finds the rows of this moment. A daemon may have it
   * open, or start meanwhile, and goes on.
   */
  openToRead(): void {
    this.#isReadOnly = true;
    this.#guard(() => {
      this.#database = openDatabase(this.#path, { readOnly: true, timeout: STORAGE_LIMITS.busyMs });
      this.#database.exec("BEGIN");
      const version = this.#checkVersion();
      if (version === this.#schema.length) return;
      throw new DaemonError(
        "STORAGE_FAILED",
        `The store ${this.#path} was written by an older daemon. Start the daemon once, so that it takes the store over.`,
      );
    });
  }

  /** A lower bound of what was written into the write-ahead log since the file was opened. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Counts what a statement wrote beside its values: deleting writes pages, too. */
  wrote(bytes: number): void {
    this.#writtenBytes += bytes;
  }

  /** SQLite counts these in pages, and a file that an earlier version made keeps the size of its own. */
  #setBounds(): void {
    this.#database?.exec(`PRAGMA journal_size_limit=${STORAGE_LIMITS.walBytes}`);
    if (this.#maxBytes !== undefined) this.#database?.exec(`PRAGMA max_page_count=${this.#pages(this.#maxBytes)}`);
    if (this.#isCheckpointedElsewhere) this.#database?.exec("PRAGMA wal_autocheckpoint=0");
    else this.checkpointHere();
  }

  /** Checkpoints as part of a commit from now on: nobody else does it. */
  checkpointHere(): void {
    this.#database?.exec(`PRAGMA wal_autocheckpoint=${this.#pages(STORAGE_LIMITS.checkpointBytes)}`);
  }

  #pages(bytes: number): number {
    return Math.max(1, Math.trunc(bytes / this.#number("page_size")));
  }

  #number(pragma: string): number {
    return numberOf(this.get(`PRAGMA ${pragma}`), pragma);
  }

  /** A file of an earlier version is written anew, once. A large one is not: its free pages are only used again. */
  #makeShrinkable(): void {
    if (this.#number("auto_vacuum") !== 0) return;
    const bytes = this.#number("page_count") * this.#number("page_size");
    if (bytes > STORAGE_LIMITS.rewriteBytes) return;
    try {
      this.#open().exec("PRAGMA auto_vacuum=INCREMENTAL; VACUUM");
    } catch (error) {
      // It takes room for two more of the file. A later start tries again.
      if (!isFull(error)) throw error;
    }
  }

  /**
   * Gives free pages back to the file system, about a MiB of them, some 2 ms. Returns how many more could be given back, and
   * undefined when none was; what is written next finds `freeBytes` of free pages all the same. The file is shorter after the next
   * checkpoint.
   */
  shrink(): number | undefined {
    const spare = this.#number("freelist_count") - this.#pages(STORAGE_LIMITS.freeBytes);
    if (spare <= 0 || this.#number("auto_vacuum") === 0) return undefined;
    const pages = Math.min(spare, this.#pages(STORAGE_LIMITS.shrinkBytes));
    this.#guard(() => this.#open().exec(`PRAGMA incremental_vacuum(${pages})`));
    // A page at the end that is used is moved.
    this.wrote(pages * STORAGE_LIMITS.databasePageBytes);
    return spare - pages;
  }

  /** Bytes of the file that hold something. */
  get usedBytes(): number {
    return (this.#number("page_count") - this.#number("freelist_count")) * this.#number("page_size");
  }

  /** Copies the whole log into the file, and cuts it off. For a database that nobody else checkpoints. */
  truncateLog(): void {
    this.#guard(() => this.#open().exec("PRAGMA wal_checkpoint(TRUNCATE)"));
  }

  /** Closes the file; later calls reject. Closing twice is fine. */
  close(): void {
    this.#statements.clear();
    const database = this.#database;
    this.#database = undefined;
    if (database === undefined) return;
    if (this.#isReadOnly) {
      database.close();
      return;
    }
    this.#guard(() => {
      // The library keeps the file (and its lock) open until it has collected every statement. A successor in this very
      // process must not wait for that, so the lock is given up first; SQLite lets go of it only outside WAL.
      try {
        database.exec("PRAGMA journal_mode=DELETE; PRAGMA locking_mode=NORMAL; SELECT 1 FROM sqlite_schema LIMIT 1");
      } catch (error) {
        // Somebody copies the store: the last one of both deletes the log.
        if (!isBusy(error)) throw error;
      } finally {
        database.close();
      }
    });
  }

  /** Runs `work` as one transaction: all of it, or nothing when it throws. */
  transaction(work: () => void): void {
    this.#guard(() => {
      const database = this.#open();
      database.exec("BEGIN IMMEDIATE");
      try {
        work();
        database.exec("COMMIT");
        this.#writtenBytes += STORAGE_LIMITS.databasePageBytes;
      } catch (error) {
        // A full disk rolls back by itself, and a second ROLLBACK would hide what went wrong.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** Runs a statement that returns no rows. Returns how many it changed. */
  run(sql: string, ...values: SqlValue[]): number {
    // A text has at least as many bytes as units. A transaction writes a page at least, which `transaction` counts.
    for (const value of values) {
      if (typeof value === "string" || value instanceof Uint8Array) this.#writtenBytes += value.length;
    }
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /** Drops a table, and forgets the statements that name it. */
  dropTable(name: string): void {
    for (const sql of this.#statements.keys()) if (sql.includes(name)) this.#statements.delete(sql);
    this.#guard(() => this.#open().exec(`DROP TABLE IF EXISTS ${name}`));
  }

  /** The first row, or undefined. */
  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values) as SqlRow | undefined);
  }

  /** All rows. */
  all(sql: string, ...values: SqlValue[]): readonly SqlRow[] {
    return this.#guard(() => this.#prepare(sql).all(...values) as SqlRow[]);
  }

  /** Rows one by one: for answers that stop early. */
  *each(sql: string, ...values: SqlValue[]): IterableIterator<SqlRow> {
    const rows = this.#guard(() => this.#prepare(sql).iterate(...values) as IterableIterator<SqlRow>);
    try {
      for (;;) {
        const { done, value } = this.#guard(() => rows.next());
        if (done) return;
        yield value;
      }
    } finally {
      rows.return?.();
    }
  }

  /** Fails with `STORAGE_FAILED` unless a row is what was once written to it. */
  expect(isValid: boolean): void {
    if (isValid) return;
    this.#guard(() => {
      throw new DamagedRow("its text is not what was written");
    });
  }

  /** JSON in a column. Fails with `STORAGE_FAILED` where the column holds none: its page was overwritten. */
  json<Value>(row: SqlRow, column: string): Value {
    return this.#guard(() => {
      try {
        return JSON.parse(textOf(row, column)) as Value;
      } catch (cause) {
        throw new DamagedRow(cause);
      }
    });
  }

  #migrate(): void {
    const database = this.#open();
    const done = this.#checkVersion();
    if (done === this.#schema.length) return;
    for (const step of this.#schema.slice(done)) database.exec(step);
    database.exec(`PRAGMA user_version=${this.#schema.length}`);
  }

  /** The steps of the schema that were done. Throws for more than are known. */
  #checkVersion(): number {
    const done = numberOf(this.get("PRAGMA user_version"), "user_version");
    if (done <= this.#schema.length) return done;
    throw new DaemonError(
      "STORAGE_FAILED",
      `The store ${this.#path} was written by a newer daemon (schema ${done}, this one knows ${this.#schema.length}). ` +
        "Start the newer daemon, or use another state directory.",
    );
  }

  #open(): Database {
    if (this.#database !== undefined) return this.#database;
    throw new DaemonError("STORAGE_FAILED", `The store ${this.#path} is not open.`);
  }

  #prepare(sql: string): StatementSyncInstance {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#open().prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (DaemonError.is(error) && !DamagedRow.is(error)) throw error;
      if (isDamage(error)) this.#onDamage?.();
      throw storageError(this.#path, error);
    }
  }
}

/** Ids and other text of peers as SQLite can hold it (see the note in schema.ts). */
export function key(text: string): string {
  return JSON.stringify(text);
}

/** A column that holds an integer. */
export function numberOf(row: SqlRow | undefined, column: string): number {
  const value = row?.[column];
  return typeof value === "number" ? value : 0;
}

/** A column that holds text. */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  return typeof value === "string" ? value : "";
}
