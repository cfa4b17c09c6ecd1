import type { SessionId } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import { key, numberOf, type SqliteDatabase, type SqlRow } from "./sqlite-database.js";

/** Rows of one journal that follow each other, by their numbers in `segments`. */
export interface JournalRun {
  readonly firstSeq: number;
  readonly nos: readonly number[];
}

/** The rows of one session that no stored run indexes yet. Changed at its end only. */
interface Fresh {
  readonly firstSeq: number;
  lastSeq: number;
  readonly nos: number[];
}

/** Reverts one change. */
interface Change {
  readonly sessionId: SessionId;
  readonly fresh: Fresh | undefined;
  readonly length: number;
  readonly lastSeq: number;
}

/**
 * Which rows of `segments` a session's journal is made of.
 *
 * Rows are written as they come. An index in the file would change another of its pages with each of them: with ten thousand
 * sessions with one entry a second, ten thousand pages a second. So a new row is indexed in memory only. Once there are many
 * of them the index is written, for one session after another, as runs. Rows that no run indexes when the daemon ends are found
 * by the next one, behind `indexed_no`.
 */
export class JournalIndex {
  readonly #database: SqliteDatabase;
  readonly #mostFresh: number;
  readonly #fresh = new Map<SessionId, Fresh>();
  /** Of the transaction that runs. */
  #changes: Change[] = [];
  #lastNo = 0;
  #count = 0;
  /** Sessions whose runs are still to be written, the next one last, and the row up to which all are then written. */
  #round: { readonly sessions: SessionId[]; readonly lastNo: number } | undefined;
  #next: NodeJS.Immediate | undefined;

  /** @param mostFresh rows known in memory only; default `STORAGE_LIMITS.journalFreshRows` */
  constructor(database: SqliteDatabase, mostFresh: number = STORAGE_LIMITS.journalFreshRows) {
    this.#database = database;
    this.#mostFresh = mostFresh;
  }

  /** Finds the rows that no run names. */
  open(): void {
    for (const row of this.#database.all(UNNAMED)) {
      const nos = this.#database.json<number[]>(row, "nos");
      const [firstSeq, lastSeq] = [numberOf(row, "first_seq"), numberOf(row, "last_seq")];
      this.#fresh.set(this.#database.json<SessionId>(row, "session"), { firstSeq, lastSeq, nos });
      this.#count += nos.length;
    }
    this.#lastNo = numberOf(this.#database.get(`SELECT max((${INDEXED}), (SELECT max(no) FROM segments)) AS no`), "no");
  }

  /** Stops writing runs. */
  close(): void {
    clearImmediate(this.#next);
    this.#next = undefined;
  }

  /** Runs `work`, which may call {@link add} and {@link drop}, as one transaction. */
  transaction(work: () => void): void {
    const [lastNo, count] = [this.#lastNo, this.#count];
    try {
      this.#database.transaction(work);
      this.#changes = [];
    } catch (error) {
      this.#undo();
      [this.#lastNo, this.#count] = [lastNo, count];
      throw error;
    }
    if (this.#count >= this.#mostFresh) this.#schedule();
  }

  /** A number for a row with these entries, which are the next ones of their journal; undefined when they are not. */
  add(sessionId: SessionId, firstSeq: number, lastSeq: number): number | undefined {
    const known = this.#fresh.get(sessionId);
    if (known !== undefined && firstSeq <= known.lastSeq) return undefined;
    this.#remember(sessionId, known);
    this.#lastNo += 1;
    this.#count += 1;
    if (known === undefined) this.#fresh.set(sessionId, { firstSeq, lastSeq, nos: [this.#lastNo] });
    else {
      known.nos.push(this.#lastNo);
      known.lastSeq = lastSeq;
    }
    return this.#lastNo;
  }

  /** The runs of a journal in order, from the one on that holds `fromSeq`, or what comes after it. */
  *runs(sessionId: SessionId, fromSeq: number): IterableIterator<JournalRun> {
    const rows = this.#database.each(
      "SELECT first_seq, nos FROM segment_runs WHERE session = ? AND last_seq >= ? ORDER BY first_seq",
      ...[key(sessionId), fromSeq],
    );
    for (const row of rows) yield this.#runOf(row);
    const fresh = this.#fresh.get(sessionId);
    if (fresh !== undefined) yield fresh;
  }

  /** The runs of a journal that begin before a position, the newest first. */
  *runsBefore(sessionId: SessionId, beforeSeq: number): IterableIterator<JournalRun> {
    const fresh = this.#fresh.get(sessionId);
    if (fresh !== undefined && fresh.firstSeq < beforeSeq) yield fresh;
    const sql = "SELECT first_seq, nos FROM segment_runs WHERE session = ? AND first_seq < ? ORDER BY first_seq DESC";
    for (const row of this.#database.each(sql, key(sessionId), beforeSeq)) {
      yield this.#runOf(row);
    }
  }

  /** The run with the end of a journal. */
  lastRun(sessionId: SessionId): JournalRun | undefined {
    const sql = "SELECT first_seq, nos FROM segment_runs WHERE session = ? ORDER BY first_seq DESC LIMIT 1";
    const fresh = this.#fresh.get(sessionId);
    if (fresh !== undefined) return fresh;
    const row = this.#database.get(sql, key(sessionId));
    return row === undefined ? undefined : this.#runOf(row);
  }

  /** Drops the first rows of a run, all without `rest`; the caller deletes them in the same transaction. */
  drop(sessionId: SessionId, run: JournalRun, rest?: JournalRun): void {
    const fresh = this.#fresh.get(sessionId);
    if (fresh !== run) {
      const place = [key(sessionId), run.firstSeq] as const;
      if (rest === undefined)
        this.#database.run("DELETE FROM segment_runs WHERE session = ? AND first_seq = ?", ...place);
      else {
        this.#database.run(
          "UPDATE segment_runs SET first_seq = ?3, nos = ?4 WHERE session = ?1 AND first_seq = ?2",
          ...[...place, rest.firstSeq, JSON.stringify(rest.nos)],
        );
      }
      return;
    }
    this.#remember(sessionId, fresh);
    this.#count -= run.nos.length - (rest?.nos.length ?? 0);
    if (rest === undefined) this.#fresh.delete(sessionId);
    else this.#fresh.set(sessionId, { ...rest, nos: [...rest.nos], lastSeq: fresh.lastSeq });
  }

  #remember(sessionId: SessionId, fresh: Fresh | undefined): void {
    this.#changes.push({ sessionId, fresh, length: fresh?.nos.length ?? 0, lastSeq: fresh?.lastSeq ?? 0 });
  }

  #undo(): void {
    for (const { sessionId, fresh, length, lastSeq } of this.#changes.reverse()) {
      if (fresh === undefined) this.#fresh.delete(sessionId);
      else {
        fresh.nos.length = length;
        fresh.lastSeq = lastSeq;
        this.#fresh.set(sessionId, fresh);
      }
    }
    this.#changes = [];
  }

  #schedule(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#step();
    });
  }

  #step(): void {
    // In order: neighbours in the file are written together.
    this.#round ??= {
      sessions: [...this.#fresh.keys()].sort((one, other) => (one < other ? 1 : -1)),
      lastNo: this.#lastNo,
    };
    const round = this.#round;
    try {
      this.transaction(() => {
        this.#write(round.sessions.splice(-STORAGE_LIMITS.indexStepSessions).reverse());
        if (round.sessions.length > 0) return;
        this.#database.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('indexed_no', ?)", round.lastNo);
      });
      if (round.sessions.length > 0) this.#schedule();
      else this.#endRound();
    } catch {
      // For example a full disk, which commits report as well. Retried after as many further rows, without a loss.
      this.#round = undefined;
      this.#count = 0;
    }
  }

  #endRound(): void {
    this.#round = undefined;
    this.#count = 0;
    for (const { nos } of this.#fresh.values()) this.#count += nos.length;
  }

  #write(sessions: readonly SessionId[]): void {
    for (const sessionId of sessions) {
      const fresh = this.#fresh.get(sessionId);
      if (fresh === undefined) continue;
      for (const run of this.#parts(fresh)) {
        this.#database.run(
          "INSERT INTO segment_runs (session, first_seq, last_seq, nos) VALUES (?, ?, ?, ?)",
          ...[key(sessionId), run.firstSeq, run.lastSeq, JSON.stringify(run.nos)],
        );
      }
      this.drop(sessionId, fresh);
    }
  }

  *#parts({ firstSeq, lastSeq, nos }: Fresh): IterableIterator<Fresh> {
    for (let from = 0, first = firstSeq; from < nos.length; from += STORAGE_LIMITS.indexRunRows) {
      const part = nos.slice(from, from + STORAGE_LIMITS.indexRunRows);
      const next = nos[from + STORAGE_LIMITS.indexRunRows];
      const end = next === undefined ? lastSeq : this.#seqOf(part.at(-1) ?? 0, "last_seq");
      yield { firstSeq: first, lastSeq: end, nos: part };
      if (next !== undefined) first = this.#seqOf(next, "first_seq");
    }
  }

  #seqOf(no: number, column: "first_seq" | "last_seq"): number {
    return numberOf(this.#database.get(`SELECT ${column} FROM segments WHERE no = ?`, no), column);
  }

  #runOf(row: SqlRow): JournalRun {
    return { firstSeq: numberOf(row, "first_seq"), nos: this.#database.json<number[]>(row, "nos") };
  }
}

const INDEXED = "SELECT value FROM meta WHERE name = 'indexed_no'";

/** A round that was cut off has written the runs of some sessions, and not yet how far it was to go. */
const UNNAMED = `
  SELECT session, min(first_seq) AS first_seq, max(last_seq) AS last_seq, json_group_array(no ORDER BY no) AS nos
  FROM segments WHERE no > (${INDEXED}) AND first_seq > coalesce(
    (SELECT last_seq FROM segment_runs AS run WHERE run.session = segments.session ORDER BY run.first_seq DESC LIMIT 1), 0)
  GROUP BY session
`;
