import { DaemonError } from "@daemon-sdk/protocol";

/** Result codes of SQLite that mean: nothing can be written here now; with the system's name for the failure. */
const FULL = new Map([
  [8 /* SQLITE_READONLY */, "EROFS"],
  [13 /* SQLITE_FULL */, "ENOSPC"],
]);
const [BUSY, CANTOPEN] = [5, 14];
const REFUSED: ReadonlySet<number> = new Set([19 /* SQLITE_CONSTRAINT */, 20 /* SQLITE_MISMATCH */]);
const DAMAGED: ReadonlySet<number> = new Set([11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */]);

/** What the file says and what the schema says do not fit: the file is damaged although SQLite could read it. */
export class DamagedRow extends DaemonError {
  static override readonly brand: string = "DamagedRow";

  constructor(cause: unknown) {
    super("STORAGE_FAILED", `a stored row is not valid (${cause instanceof Error ? cause.message : String(cause)})`, {
      cause,
    });
  }
}

/** The native library leaves the code out where a row was read: its text is SQLite's own for the code. */
const CODES_BY_TEXT: ReadonlyMap<string, number> = new Map([
  ["database disk image is malformed", 11],
  ["file is not a database", 26],
  ["database or disk is full", 13],
  ["database is locked", BUSY],
]);

/** The primary result code of SQLite behind an error of the store; 0 when the failure has none. */
export function resultCode(error: unknown): number {
  const cause = DaemonError.is(error) ? error.cause : error;
  const code: unknown = Reflect.get(Object(cause), "sqliteCode");
  if (typeof code === "number") return code & 0xff;
  return cause instanceof Error ? (CODES_BY_TEXT.get(cause.message) ?? 0) : 0;
}

/** Whether a row was refused because of what it holds. */
export function isRefusedRow(error: unknown): boolean {
  return REFUSED.has(resultCode(error));
}

/** Whether another connection holds what was wanted. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

/** Whether there is no room, or nothing may be written. */
export function isFull(error: unknown): boolean {
  return FULL.has(resultCode(error));
}

/** Whether a failure shows that the file is damaged, and not that it cannot be read or written now. */
export function isDamage(error: unknown): boolean {
  return DamagedRow.is(error) || DamagedRow.is((error as Error | undefined)?.cause) || DAMAGED.has(resultCode(error));
}

/** A failure of SQLite as a typed error, with the path and the remedy in its text. */
export function storageError(path: string, cause: unknown): DaemonError {
  const code = resultCode(cause);
  const text = cause instanceof Error ? cause.message : String(cause);
  const full = FULL.get(code);
  if (full !== undefined) {
    return new DaemonError(
      "STORAGE_FULL",
      `The store ${path} cannot be written (${full}: ${text}). Free space on its disk, or make the file writable.`,
      { cause },
    );
  }
  return new DaemonError("STORAGE_FAILED", `The store ${path} failed: ${text}.${remedy(cause, code)}`, { cause });
}

function remedy(cause: unknown, code: number): string {
  if (code === BUSY) return " Another process holds it: stop the other daemon, or use another state directory.";
  if (code === CANTOPEN) return " Check its owner and mode, and those of its directory.";
  if (!isDamage(cause)) return "";
  return " The file is damaged. Stop the daemon and start it again: the start copies what is readable into a new file.";
}

/** The refusal of a file that is no store, or of which nothing can be read: it is not replaced by an empty store. */
export function unusableFile(path: string, why: string, cause?: unknown): DaemonError {
  return new DaemonError(
    "STORAGE_FAILED",
    `The store ${path} ${why}. Put a copy from a backup in its place, or move it away (mv '${path}' '${path}.old') ` +
      "and start the daemon again, which then begins with an empty store.",
    { cause },
  );
}
