import type { SessionId } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { JournalIndex } from "./journal-index.js";
import { TURN_BYTES } from "./schema.js";
import { key, numberOf, type SqliteDatabase, type SqlRow, textOf } from "./sqlite-database.js";
import type { StoredBytes } from "./stored-bytes.js";

/** What is known of the row of a session: its owner, empty for the person, and its bytes. */
interface KnownRow {
  readonly owner: string;
  readonly bytes: number;
}

/** Names of the counters in `meta` begin with it. The person's has nothing behind it. */
const ENTRY = "bytes ";

/** What a statement that drops rows of sessions returns of each. */
export const DROPPED_ROW = "id, coalesce(owner, '') AS owner, octet_length(body) AS bytes";

/** No row of that session: what it has is the person's. */
const NO_ROW: KnownRow = { owner: "", bytes: 0 };

/**
 * How many bytes each principal has stored, exact after each transaction and after each kill.
 *
 * Counters that every transaction writes would be one more page of each: of a small one as much as everything else. So the
 * counters in the file are those of an earlier transaction. What changed since stands in rows that are written anyway: segments
 * and prompts count themselves, and `uncounted` of a segment has the rest of its transaction. Where something else changes without
 * a segment the counters are written; also after many segments, because a start reads those behind the counters.
 */
export class SqliteBytes implements StoredBytes {
  readonly #database: SqliteDatabase;
  readonly #journalBytes: (id: SessionId) => number;
  readonly #totals = new Map<string, number>();
  /** The rows of sessions that changed last. */
  readonly #rows = new Map<SessionId, KnownRow>();
  /** Principals whose counter in the file is an earlier one. */
  readonly #stale = new Set<string>();
  /** Segments and prompts up to these are in the counters of the file … */
  #countedNo = 0;
  #countedPrompt = 0;
  /** … and those behind them take so many bytes. */
  #lastNo = 0;
  #uncountedBytes = 0;
  /** Whether the next transaction writes the counters: segments do not tell a start what changed. */
  #mustWrite = false;
  readonly #running: Running = {
    changes: new Map(),
    rest: new Map(),
    lastNo: 0,
    rowBytes: 0,
    countedPrompt: undefined,
  };

  /** @param journalBytes bytes of the segments of a session */
  constructor(database: SqliteDatabase, journalBytes: (id: SessionId) => number) {
    this.#database = database;
    this.#journalBytes = journalBytes;
  }

  of(owner: string | undefined): number {
    return this.#totals.get(owner ?? "") ?? 0;
  }

  ofSession(id: SessionId): number {
    return numberOf(this.#database.get(ROW, key(id)), "bytes") + this.besideRow(id);
  }

  /** Of everything that a session has beside its row. */
  besideRow(id: SessionId): number {
    return this.#journalBytes(id) + numberOf(this.#database.get(BESIDE_JOURNAL, key(id)), "bytes");
  }

  all(): ReadonlyMap<string | undefined, number> {
    const stored = [...this.#totals].filter(([, bytes]) => bytes > 0);
    return new Map(stored.map(([owner, bytes]) => [owner === "" ? undefined : owner, bytes]));
  }

  /** Reads the counters, and the segments behind them. */
  open(): void {
    for (const row of this.#database.all(COUNTERS)) {
      this.#totals.set(textOf(row, "name").slice(ENTRY.length), numberOf(row, "value"));
    }
    this.#countedNo = numberOf(this.#database.get("SELECT value FROM meta WHERE name = 'counted_no'"), "value");
    this.#countedPrompt = numberOf(this.#database.get("SELECT value FROM meta WHERE name = 'counted_prompt'"), "value");
    this.#lastNo = numberOf(this.#database.get(LAST_SEGMENT), "no");
    const isPromptGone = numberOf(this.#database.get(LAST_PROMPT), "no") < this.#countedPrompt;
    for (const row of this.#database.all(UNCOUNTED, this.#countedNo, this.#countedPrompt)) {
      this.#uncountedBytes += numberOf(row, "bytes");
      const rest = row.uncounted === null ? {} : this.#database.json<Record<string, number>>(row, "uncounted");
      for (const [owner, bytes] of [[textOf(row, "owner"), numberOf(row, "bytes")] as const, ...Object.entries(rest)]) {
        addTo(this.#totals, owner, bytes);
        this.#stale.add(owner);
      }
    }
    // The last rows were dropped: their numbers are given out again.
    this.#mustWrite = isPromptGone || this.#lastNo < this.#countedNo;
  }

  /** Writes the counters, so that the next start reads no segments. What cannot be written, that start counts. */
  close(): void {
    try {
      if (this.#stale.size > 0) this.#database.transaction(() => this.#write());
    } catch {
      // The store is full, or damaged.
    } finally {
      this.#totals.clear();
      this.#stale.clear();
      this.#uncountedBytes = 0;
      this.#undo();
    }
  }

  /** Runs `work` as one transaction of the index, and counts what it changes by the methods below. */
  transaction(index: Pick<JournalIndex, "transaction">, work: () => void): void {
    try {
      index.transaction(() => {
        work();
        this.#conclude();
      });
    } catch (error) {
      this.#undo();
      throw error;
    }
    this.#committed();
  }

  /** Rows of a session take so many bytes more. */
  add(sessionId: SessionId, bytes: number): void {
    this.#change(this.#rowOf(sessionId).owner, bytes);
  }

  /** A segment was added. */
  addSegment(sessionId: SessionId, no: number, bytes: number): void {
    this.#running.lastNo = no;
    this.#addRow(sessionId, bytes);
  }

  /** A prompt was added. */
  addPrompt(sessionId: SessionId, bytes: number): void {
    this.#addRow(sessionId, bytes + TURN_BYTES);
  }

  /** A prompt of that number is dropped. */
  dropPrompt(sessionId: SessionId, no: number, bytes: number): void {
    // The number of the last one is given out again.
    if (no >= this.#countedPrompt) this.#mustWrite = true;
    this.add(sessionId, -bytes - TURN_BYTES);
  }

  /** A row that counts itself. */
  #addRow(sessionId: SessionId, bytes: number): void {
    this.#running.rowBytes += bytes;
    addTo(this.#running.changes, this.#rowOf(sessionId).owner, bytes);
  }

  /** Segments of a session are dropped. */
  dropSegments(sessionId: SessionId, nos: readonly number[]): void {
    const row = this.#database.get(SEGMENTS, JSON.stringify(nos));
    if (numberOf(row, "no") > this.#countedNo) this.#mustWrite = true;
    this.add(sessionId, -numberOf(row, "bytes"));
  }

  /** The row of a session is written; `beside` states what the session has beside it. */
  putRow(sessionId: SessionId, owner: string, bytes: number, beside: () => number): void {
    const known = this.#rowOf(sessionId);
    this.#change(known.owner, bytes - known.bytes);
    this.#remember(sessionId, { owner, bytes });
    if (owner === known.owner) return;
    const moved = bytes + beside();
    this.#change(known.owner, -moved);
    this.#change(owner, moved);
    // Rows behind the counters count for the owner that a start finds.
    this.#mustWrite = true;
  }

  /** The row of a session was dropped, after everything else of it: {@link DROPPED_ROW}. */
  dropRow(sessionId: SessionId, row: SqlRow): void {
    this.#change(textOf(row, "owner"), -numberOf(row, "bytes"));
    this.#rows.delete(sessionId);
  }

  /** What the last segment of a transaction states, which is written after everything else. */
  uncounted(): string | null {
    const { rest } = this.#running;
    if (this.#isToWrite || rest.size === 0) return null;
    const text = JSON.stringify(Object.fromEntries(rest));
    rest.clear();
    return text;
  }

  /** Called after the last statement of a transaction. */
  #conclude(): void {
    if (this.#isToWrite || this.#running.rest.size > 0) this.#write();
  }

  /** The transaction is through. */
  #committed(): void {
    const { changes, lastNo, rowBytes, countedPrompt } = this.#running;
    for (const [owner, bytes] of changes) {
      addTo(this.#totals, owner, bytes);
      this.#stale.add(owner);
    }
    this.#lastNo = Math.max(this.#lastNo, lastNo);
    this.#uncountedBytes += rowBytes;
    if (countedPrompt !== undefined) {
      this.#stale.clear();
      this.#countedNo = this.#lastNo;
      this.#countedPrompt = countedPrompt;
      this.#uncountedBytes = 0;
      this.#mustWrite = false;
    }
    this.#endTransaction();
  }

  /** The transaction was rolled back. */
  #undo(): void {
    this.#rows.clear();
    this.#endTransaction();
  }

  /** One object for all of them: most transactions are small. */
  #endTransaction(): void {
    const running = this.#running;
    running.changes.clear();
    running.rest.clear();
    running.lastNo = 0;
    running.rowBytes = 0;
    running.countedPrompt = undefined;
  }

  /** Whether this transaction writes the counters, whatever else it has. */
  get #isToWrite(): boolean {
    const rows = this.#running.lastNo - this.#countedNo;
    const bytes = this.#uncountedBytes + this.#running.rowBytes;
    return this.#mustWrite || rows > STORAGE_LIMITS.uncountedRows || bytes > STORAGE_LIMITS.uncountedBytes;
  }

  #write(): void {
    const { changes, lastNo } = this.#running;
    const put = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)";
    for (const owner of new Set([...this.#stale, ...changes.keys()])) {
      this.#database.run(put, `${ENTRY}${owner}`, (this.#totals.get(owner) ?? 0) + (changes.get(owner) ?? 0));
    }
    const countedPrompt = numberOf(this.#database.get(LAST_PROMPT), "no");
    this.#database.run(put, "counted_no", Math.max(this.#lastNo, lastNo));
    this.#database.run(put, "counted_prompt", countedPrompt);
    this.#running.countedPrompt = countedPrompt;
  }

  #change(owner: string, bytes: number): void {
    if (bytes === 0) return;
    addTo(this.#running.changes, owner, bytes);
    addTo(this.#running.rest, owner, bytes);
  }

  #rowOf(sessionId: SessionId): KnownRow {
    const known = this.#rows.get(sessionId);
    if (known !== undefined) return known;
    const row = this.#database.get(ROW, key(sessionId));
    const read = row === undefined ? NO_ROW : { owner: textOf(row, "owner"), bytes: numberOf(row, "bytes") };
    this.#remember(sessionId, read);
    return read;
  }

  #remember(sessionId: SessionId, row: KnownRow): void {
    if (this.#rows.size >= STORAGE_LIMITS.countedSessions) this.#rows.clear();
    this.#rows.set(sessionId, row);
  }
}

/** What one transaction changed. */
interface Running {
  /** Bytes by principal … */
  readonly changes: Map<string, number>;
  /** … and of them those that no row counts by itself. */
  readonly rest: Map<string, number>;
  /** The last segment it added; 0: none. */
  lastNo: number;
  /** Bytes of rows that count themselves. */
  rowBytes: number;
  /** The newest prompt in the counters, where it wrote them. */
  countedPrompt: number | undefined;
}

function addTo(totals: Map<string, number>, owner: string, bytes: number): void {
  totals.set(owner, (totals.get(owner) ?? 0) + bytes);
}

/** Bytes of everything that a session has beside its row and its journal. */
const SUMS = ["messages", "prompts", "prompt_parts", "requests"].map((table) => {
  const counted = table === "prompts" ? ` + ${TURN_BYTES}` : "";
  return `coalesce((SELECT sum(octet_length(body)${counted}) FROM ${table} WHERE session = ?1), 0)`;
});
const BESIDE_JOURNAL = `SELECT ${SUMS.join(" + ")} AS bytes`;

const COUNTERS = `SELECT name, value FROM meta WHERE name >= '${ENTRY}' AND name < 'bytes!'`;
const ROW = "SELECT coalesce(owner, '') AS owner, octet_length(body) AS bytes FROM sessions WHERE id = ?";
const SEGMENTS = "SELECT sum(bytes) AS bytes, max(no) AS no FROM segments WHERE no IN (SELECT value FROM json_each(?))";
const LAST_SEGMENT = "SELECT max(no) AS no FROM segments";
const LAST_PROMPT = "SELECT max(no) AS no FROM prompts";
const UNCOUNTED = `
  SELECT coalesce(owner, '') AS owner, bytes, uncounted FROM (
    SELECT session, bytes, uncounted FROM segments WHERE no > ?
    UNION ALL SELECT session, octet_length(body) + ${TURN_BYTES}, NULL FROM prompts WHERE no > ?
  ) LEFT JOIN sessions ON id = session`;
