import { STORAGE_LIMITS } from "../../limits/index.js";
import { numberOf, type SqliteDatabase, type SqlRow, type SqlValue } from "../sqlite-database.js";

/** Which rows of one mailbox to read. */
export interface MailboxRows {
  /** Address in the form of the column. */
  readonly address: string;
  readonly order: "asc" | "desc";
  /** Only those that hold entries from here on; default all. */
  readonly fromPosition?: number;
  /** Only those beyond this row in the order asked for; default all. */
  readonly beyond?: number | undefined;
}

/**
 * Which rows of `mailbox_segments` a mailbox is made of.
 *
 * Rows are written as they come, so that a message alone changes one page of the file. The index is written for some hundreds
 * of rows at once; rows behind the number in `meta` are not indexed yet, and a reader scans them.
 */
export class MailboxIndex {
  readonly #database: SqliteDatabase;
  readonly #mostFresh: number;
  #lastNo = 0;
  /** The last row that is indexed. */
  #indexedNo = 0;
  /** The row with which the index is to be written. */
  #dueNo = 0;
  #next: NodeJS.Immediate | undefined;

  /** @param mostFresh rows that are not indexed; default `STORAGE_LIMITS.mailboxFreshRows` */
  constructor(database: SqliteDatabase, mostFresh: number = STORAGE_LIMITS.mailboxFreshRows) {
    this.#database = database;
    this.#mostFresh = mostFresh;
  }

  /** Reads how far an earlier daemon indexed, and indexes the rest. */
  open(): void {
    this.#indexedNo = numberOf(this.#database.get(`SELECT (${INDEXED}) AS no`), "no");
    const newest = numberOf(this.#database.get("SELECT max(no) AS no FROM mailbox_segments"), "no");
    this.#lastNo = Math.max(this.#indexedNo, newest);
    this.#write();
  }

  /** Stops writing the index. */
  close(): void {
    clearImmediate(this.#next);
    this.#next = undefined;
  }

  /** The number for the next row. None is used twice, even when its row is gone: indexed numbers are not scanned again. */
  nextNo(): number {
    this.#lastNo += 1;
    return this.#lastNo;
  }

  /** Call it after a transaction. */
  committed(): void {
    if (this.#lastNo < this.#dueNo) return;
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#write();
    });
  }

  /** Rows of a mailbox, one by one. */
  *rows({ address, order, fromPosition = 0, beyond }: MailboxRows): IterableIterator<SqlRow> {
    const end = beyond ?? (order === "asc" ? 0 : Number.MAX_SAFE_INTEGER);
    const indexed: SqlValue[] = [address, fromPosition, end];
    const parts = [() => this.#database.each(INDEXED_ROWS[order], ...indexed)];
    parts.push(() => this.#database.each(FRESH_ROWS[order], ...indexed, this.#indexedNo));
    if (order === "desc") parts.reverse();
    for (const part of parts) yield* part();
  }

  /** Deletes the rows of a mailbox that end before a position, all without one. Called inside a transaction. */
  drop(address: string, beforePosition: number = Number.MAX_SAFE_INTEGER): void {
    const place: SqlValue[] = [address, beforePosition];
    const inIndex = "FROM mailbox_index WHERE address = ?1 AND last < ?2";
    this.#database.run(`DELETE FROM mailbox_segments WHERE no IN (SELECT no ${inIndex})`, ...place);
    this.#database.run(`DELETE ${inIndex}`, ...place);
    this.#database.run(
      "DELETE FROM mailbox_segments WHERE no > ?3 AND address = ?1 AND last < ?2",
      ...[...place, this.#indexedNo],
    );
  }

  /** Deletes rows up to one whose entries are all below the low-water mark of their mailbox. Called inside a transaction. */
  dropAcknowledged(throughNo: number): void {
    const acknowledged = `SELECT segment.no FROM mailbox_segments AS segment
      JOIN mailboxes AS mailbox ON mailbox.address = segment.address
      WHERE segment.no <= ?1 AND segment.last <= mailbox.low_water`;
    this.#database.run(
      `DELETE FROM mailbox_index WHERE (address, last, no) IN
        (SELECT address, last, no FROM mailbox_segments WHERE no IN (${acknowledged}))`,
      throughNo,
    );
    this.#database.run(`DELETE FROM mailbox_segments WHERE no IN (${acknowledged})`, throughNo);
  }

  #write(): void {
    const lastNo = this.#lastNo;
    this.#dueNo = lastNo + this.#mostFresh;
    if (lastNo === this.#indexedNo) return;
    try {
      this.#database.transaction(() => {
        this.#database.run(
          "INSERT INTO mailbox_index SELECT address, last, no FROM mailbox_segments WHERE no > ? ORDER BY address, no",
          this.#indexedNo,
        );
        this.#database.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('mailbox_indexed_no', ?)", lastNo);
      });
      this.#indexedNo = lastNo;
    } catch {
      // For example a full disk, which commits report as well. Retried after as many further rows, without a loss.
    }
  }
}

const INDEXED = "SELECT value FROM meta WHERE name = 'mailbox_indexed_no'";

/** ?1 address, ?2 position to start from, ?3 row to go beyond. */
const INDEXED_ROWS = {
  asc: indexedRows("> ?3 ORDER BY place.last"),
  desc: indexedRows("< ?3 ORDER BY place.last DESC"),
};

/** … and ?4: the last indexed row. */
const FRESH_ROWS = {
  asc: freshRows("> ?3 ORDER BY no"),
  desc: freshRows("< ?3 ORDER BY no DESC"),
};

function indexedRows(beyond: string): string {
  return `SELECT segment.* FROM mailbox_index AS place JOIN mailbox_segments AS segment ON segment.no = place.no
    WHERE place.address = ?1 AND place.last >= ?2 AND place.no ${beyond}`;
}

function freshRows(beyond: string): string {
  return `SELECT * FROM mailbox_segments WHERE no > ?4 AND address = ?1 AND last >= ?2 AND no ${beyond}`;
}
