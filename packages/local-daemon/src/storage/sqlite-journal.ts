import { DaemonError, type SessionId } from "@daemon-sdk/protocol";
import type { JournalIndex } from "./journal-index.js";
import type { SqliteBytes } from "./sqlite-bytes.js";
import { key, numberOf, type SqliteDatabase, type SqlRow, textOf } from "./sqlite-database.js";
import type { EntryRun, JournalBounds, SegmentInfo, SegmentRow } from "./store.js";

/** The journals of all sessions: rows of `segments`, which a {@link JournalIndex} finds. */
export class SqliteJournal {
  readonly #database: SqliteDatabase;
  readonly #index: JournalIndex;
  readonly #bytes: SqliteBytes;

  constructor(database: SqliteDatabase, index: JournalIndex, bytes: SqliteBytes) {
    this.#database = database;
    this.#index = index;
    this.#bytes = bytes;
  }

  /**
   * Adds a segment to the end of its journal. Called inside a transaction of the index.
   *
   * @param uncounted what it states of its transaction (`SqliteBytes`)
   */
  put({ sessionId, epoch, firstSeq, entries, createdAt }: SegmentRow, uncounted: string | null = null): void {
    const lastSeq = firstSeq + entries.length - 1;
    const no = this.#index.add(sessionId, firstSeq, lastSeq);
    if (no === undefined) {
      throw new DaemonError("STORAGE_FAILED", `Entry ${firstSeq} is in its journal already. Load the session again.`);
    }
    const text = entries.join("\n");
    const bytes = Buffer.byteLength(text);
    this.#database.run(
      `INSERT INTO segments (no, session, first_seq, last_seq, epoch, bytes, created_at, frames, uncounted)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[no, key(sessionId), firstSeq, lastSeq, epoch, bytes, createdAt, text, uncounted],
    );
    this.#bytes.addSegment(sessionId, no, bytes);
  }

  /** Drops segments that end before `beforeSeq`, but never the newest. Called inside a transaction of the index. */
  prune(id: SessionId, beforeSeq: number): void {
    const runs = [...this.#index.runs(id, 0)];
    for (const run of runs) {
      const most = run.nos.length - (run === runs.at(-1) ? 1 : 0);
      const count = Math.min(most, this.#firstFrom(run.nos, beforeSeq));
      this.#dropRows(id, run.nos.slice(0, count));
      const nos = run.nos.slice(count);
      const [firstNo] = nos;
      if (firstNo === undefined) this.#index.drop(id, run);
      else {
        if (count > 0) this.#index.drop(id, run, { firstSeq: numberOf(this.#describe(firstNo), "first_seq"), nos });
        return;
      }
    }
  }

  /** Drops up to `rows` of the oldest segments, the newest one of all, too. Returns how many. Called as {@link prune} is. */
  dropOldest(id: SessionId, rows: number): number {
    let left = rows;
    while (left > 0) {
      const [run] = this.#index.runs(id, 0);
      if (run === undefined) break;
      const dropped = run.nos.slice(0, left);
      const nos = run.nos.slice(left);
      left -= dropped.length;
      this.#dropRows(id, dropped);
      const [firstNo] = nos;
      if (firstNo === undefined) this.#index.drop(id, run);
      else this.#index.drop(id, run, { firstSeq: numberOf(this.#describe(firstNo), "first_seq"), nos });
    }
    return rows - left;
  }

  #dropRows(id: SessionId, nos: readonly number[]): void {
    this.#bytes.dropSegments(id, nos);
    this.#database.run("DELETE FROM segments WHERE no IN (SELECT value FROM json_each(?))", JSON.stringify(nos));
  }

  /** Bytes of all segments of a journal. */
  bytesOf(id: SessionId): number {
    const sql = "SELECT sum(bytes) AS bytes FROM segments WHERE no IN (SELECT value FROM json_each(?))";
    let bytes = 0;
    for (const { nos } of this.#index.runs(id, 0)) {
      bytes += numberOf(this.#database.get(sql, JSON.stringify(nos)), "bytes");
    }
    return bytes;
  }

  /** First and last position of a journal; see `Store`. */
  bounds(id: SessionId): JournalBounds {
    const run = this.#index.lastRun(id);
    if (run === undefined) return { firstSeq: 1, lastSeq: 0, lastPosition: undefined };
    const [first = run] = this.#index.runs(id, 0);
    const last = this.#describe(run.nos.at(-1) ?? 0);
    const lastSeq = numberOf(last, "last_seq");
    return { firstSeq: first.firstSeq, lastSeq, lastPosition: { epoch: numberOf(last, "epoch"), seq: lastSeq } };
  }

  /** Entries from a position on; see `Store`. */
  readEntries(id: SessionId, fromSeq: number, maxBytes: number, maxEntries = Number.POSITIVE_INFINITY): EntryRun {
    const entries: string[] = [];
    let [firstSeq, epoch] = [fromSeq, 0];
    let bytes = 0;
    for (const no of this.#nosFrom(id, fromSeq)) {
      const sql = "SELECT first_seq, last_seq, epoch, bytes, frames FROM segments WHERE no = ?";
      const row = this.#database.get(sql, no) ?? {};
      const start = numberOf(row, "first_seq");
      const written = numberOf(row, "epoch");
      if (entries.length === 0) [firstSeq, epoch] = [Math.max(fromSeq, start), written];
      else if (start !== firstSeq + entries.length || written !== epoch) break;
      const texts = textOf(row, "frames").split("\n");
      this.#database.expect(texts.length === numberOf(row, "last_seq") - start + 1);
      entries.push(...texts.slice(Math.max(0, fromSeq - start)));
      bytes += numberOf(row, "bytes");
      if (bytes >= maxBytes || entries.length >= maxEntries) break;
    }
    return { firstSeq, epoch, entries };
  }

  /** Segments of a journal, newest first; see `Store`. */
  segments(id: SessionId, beforeSeq: number, limit: number): readonly SegmentInfo[] {
    const wanted: number[] = [];
    for (const run of this.#index.runsBefore(id, beforeSeq)) {
      const end = this.#firstFrom(run.nos, beforeSeq);
      wanted.push(...run.nos.slice(Math.max(0, end - limit + wanted.length), end));
      if (wanted.length >= limit) break;
    }
    const sql = `SELECT epoch, first_seq, last_seq, bytes, created_at FROM segments
                 WHERE no IN (SELECT value FROM json_each(?)) ORDER BY no DESC`;
    return this.#database.all(sql, JSON.stringify(wanted)).map((row) => ({
      epoch: numberOf(row, "epoch"),
      firstSeq: numberOf(row, "first_seq"),
      lastSeq: numberOf(row, "last_seq"),
      bytes: numberOf(row, "bytes"),
      createdAt: numberOf(row, "created_at"),
    }));
  }

  *#nosFrom(id: SessionId, fromSeq: number): IterableIterator<number> {
    for (const { firstSeq, nos } of this.#index.runs(id, fromSeq)) {
      yield* firstSeq >= fromSeq ? nos : nos.slice(this.#firstFrom(nos, fromSeq));
    }
  }

  /** Index of the first of these rows that ends at or after `seq`. */
  #firstFrom(nos: readonly number[], seq: number): number {
    let [low, high] = [0, nos.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numberOf(this.#describe(nos[middle] ?? 0), "last_seq") < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A segment without its entries, which stand behind it in the file. */
  #describe(no: number): SqlRow {
    const sql = "SELECT first_seq, last_seq, epoch, bytes, created_at FROM segments WHERE no = ?";
    return this.#database.get(sql, no) ?? {};
  }
}
