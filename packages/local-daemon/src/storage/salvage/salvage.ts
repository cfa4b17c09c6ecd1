import { closeSync, fsyncSync, openSync } from "node:fs";
import { STORAGE_LIMITS } from "../../limits/index.js";
import { type Database, openDatabase } from "../../sqlite-library.js";
import { MIGRATIONS, RECOUNT } from "../schema.js";
import { type Key, type TableRow, TableSalvage } from "./salvage-table.js";

/** What was copied out of a damaged store, and what was not. */
export interface SalvageReport {
  /** Rows that were copied. */
  readonly rows: number;
  /** Tables of which rows are lost. */
  readonly damagedTables: readonly string[];
  /** Sessions that are in the new file and lost something; a notice waits in each of them. */
  readonly damagedSessions: number;
  /** Ids of sessions whose own row is lost: with it, nothing of them can be used. */
  readonly lostSessions: readonly string[];
}

/** A table whose rows are copied: by its key, in an order in which what others refer to comes first. */
interface Table {
  readonly name: string;
  readonly keys: readonly string[];
  /** Columns that hold JSON. */
  readonly json?: readonly string[];
  /** Columns that hold so many lines of JSON. */
  readonly lines?: { readonly column: string; readonly first: string; readonly last: string };
  /** Queries that find keys of rows by other tables or by an index. */
  readonly candidates?: readonly string[];
}

const TABLES: readonly Table[] = [
  { name: "meta", keys: ["name"] },
  {
    name: "sessions",
    keys: ["id"],
    json: ["id", "body"],
    candidates: [
      "SELECT id FROM sessions INDEXED BY sessions_by_update ORDER BY updated_at",
      "SELECT session FROM turns INDEXED BY turns_in_order ORDER BY session",
      "SELECT session FROM messages INDEXED BY messages_in_order ORDER BY session",
    ],
  },
  {
    name: "turns",
    keys: ["session", "id"],
    json: ["id", "body"],
    candidates: ["SELECT session, id FROM turns INDEXED BY turns_in_order ORDER BY session, ordinal"],
  },
  { name: "prompts", keys: ["no"], json: ["id", "body"] },
  { name: "prompt_parts", keys: ["no"], json: ["id"] },
  { name: "messages", keys: ["no"], json: ["session", "id", "body"] },
  { name: "segments", keys: ["no"], lines: { column: "frames", first: "first_seq", last: "last_seq" } },
  { name: "requests", keys: ["no"], json: ["id", "body"] },
  { name: "agent_processes", keys: ["pid"], json: ["body"] },
  { name: "mailboxes", keys: ["address"], json: ["address", "acked"] },
  { name: "mailbox_segments", keys: ["no"], lines: { column: "entries", first: "first", last: "last" } },
  { name: "mailbox_streams", keys: ["address", "stream"] },
  { name: "relay_facts", keys: ["scope", "name"], json: ["body"] },
];

/**
 * Copies what can be read of a damaged store into a new file of the same schema. Blocks while it runs: call it in a thread.
 *
 * Indexes of rows are made anew, and so is the identity of the messages: a search index begins again. Each session that lost
 * a part is marked in its row (`damagedAt`). Rows of sessions that have no row of their own are not copied.
 *
 * @param from path of the damaged file, which is not changed beyond the end of its write-ahead log
 * @param to path of a file that does not exist yet; it is on the disk when the function returns
 * @param now wall clock in ms
 */
export function salvage(from: string, to: string, now: number): SalvageReport {
  const source = openDatabase(from, { defensive: false });
  const target = openDatabase(to);
  try {
    // With a schema that may be written, SQLite also opens a file that was cut off.
    source.exec("PRAGMA writable_schema=ON; PRAGMA locking_mode=EXCLUSIVE");
    target.exec(
      `PRAGMA page_size=${STORAGE_LIMITS.databasePageBytes}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN`,
    );
    const report = new Salvage(source, target, now).run();
    target.exec("COMMIT");
    return report;
  } finally {
    target.close();
    source.close();
    const file = openSync(to, "r+");
    fsyncSync(file);
    closeSync(file);
  }
}

class Salvage {
  readonly #source: Database;
  readonly #target: Database;
  readonly #now: number;
  readonly #version: number;
  readonly #damaged = new Set<string>();
  /** Ids as the columns hold them. */
  readonly #losers = new Set<string>();
  /** Some session lost something, and it is not known which. */
  #isUnclear = false;
  #rows = 0;

  constructor(source: Database, target: Database, now: number) {
    this.#source = source;
    this.#target = target;
    this.#now = now;
    this.#version = Number((source.prepare("PRAGMA user_version").get() as { user_version: number }).user_version);
  }

  run(): SalvageReport {
    for (const step of MIGRATIONS.slice(0, this.#version)) this.#target.exec(step);
    this.#target.exec(`PRAGMA user_version=${this.#version}`);
    const lost = new Map<string, readonly Key[]>();
    for (const table of TABLES) if (this.#hasTable(table.name)) lost.set(table.name, this.#copy(table));
    const lostSessions = (lost.get("sessions") ?? []).map(([id]) => JSON.parse(String(id)) as string);
    for (const [session] of lost.get("turns") ?? []) this.#losers.add(String(session));
    if (this.#damaged.has("turns") && this.#isDamagedIndex("turns", "turns_in_order")) this.#isUnclear = true;
    if (this.#damaged.has("messages")) this.#findLostMessages();
    if (this.#damaged.has("segments")) this.#findLostSegments();
    this.#dropOrphans();
    this.#makeIndexes();
    const damagedSessions = this.#markSessions();
    this.#countBytes();
    return { rows: this.#rows, damagedTables: [...this.#damaged], damagedSessions, lostSessions };
  }

  /** Copies a table; returns keys of rows that are known to be lost. */
  #copy(table: Table): readonly Key[] {
    const columns = this.#target.prepare(`SELECT name FROM pragma_table_info('${table.name}')`).all();
    const names = columns.map((column) => String((column as TableRow).name));
    const insert = this.#target.prepare(
      `INSERT OR REPLACE INTO ${table.name} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    );
    const put = (row: TableRow) => {
      if (!isWhole(table, row)) return false;
      insert.run(...names.map((name) => row[name] ?? null));
      this.#rows += 1;
      return true;
    };
    const candidates = () => (table.candidates ?? []).map((sql) => this.#keysBy(sql));
    const reading = new TableSalvage(this.#source, { ...table, columns: names, candidates, put });
    reading.run();
    if (reading.isDamaged) this.#damaged.add(table.name);
    return reading.lost;
  }

  *#keysBy(sql: string): IterableIterator<Key> {
    for (const row of this.#source.prepare(sql).iterate() as Iterable<TableRow>) yield Object.values(row) as Key;
  }

  #isDamagedIndex(table: string, index: string): boolean {
    try {
      this.#source.prepare(`SELECT count(session) FROM ${table} INDEXED BY ${index}`).get();
      return false;
    } catch {
      return true;
    }
  }

  #findLostMessages(): void {
    const isCopied = this.#target.prepare("SELECT 1 FROM messages WHERE no = ?");
    this.#eachEvidence("SELECT session, no FROM messages INDEXED BY messages_in_order ORDER BY session", (row) => {
      if (isCopied.get(Number(row.no)) === undefined) this.#losers.add(String(row.session));
    });
  }

  /** The index of segments says which there were, but for the newest, which it does not have yet. */
  #findLostSegments(): void {
    const isCopied = this.#target.prepare("SELECT 1 FROM segments WHERE no = ?");
    this.#eachEvidence("SELECT session, nos FROM segment_runs", (row) => {
      const nos = JSON.parse(String(row.nos)) as number[];
      if (nos.some((no) => isCopied.get(no) === undefined)) this.#losers.add(String(row.session));
    });
    const holes = this.#target.prepare(
      `SELECT DISTINCT session FROM (
         SELECT session, first_seq, lag(last_seq) OVER (PARTITION BY session ORDER BY first_seq) AS before FROM segments
       ) WHERE before IS NOT NULL AND first_seq <> before + 1`,
    );
    for (const row of holes.all()) this.#losers.add(String((row as TableRow).session));
    // The newest entries of a session leave no hole. Turns say where they ended.
    const ends = this.#target.prepare(
      `SELECT session FROM turns GROUP BY session HAVING max(json_extract(body, '$.lastSeq')) > coalesce(
         (SELECT max(last_seq) FROM segments WHERE segments.session = turns.session), 0)`,
    );
    for (const row of ends.all()) this.#losers.add(String((row as TableRow).session));
  }

  #eachEvidence(sql: string, take: (row: TableRow) => void): void {
    try {
      for (const row of this.#source.prepare(sql).iterate() as Iterable<TableRow>) take(row);
    } catch {
      this.#isUnclear = true;
    }
  }

  #dropOrphans(): void {
    for (const table of ["turns", "prompts", "prompt_parts", "messages", "segments", "requests"]) {
      if (this.#hasTable(table))
        this.#target.exec(`DELETE FROM ${table} WHERE session NOT IN (SELECT id FROM sessions)`);
    }
    if (!this.#hasTable("mailboxes")) return;
    for (const table of ["mailbox_segments", "mailbox_streams"]) {
      this.#target.exec(`DELETE FROM ${table} WHERE address NOT IN (SELECT address FROM mailboxes)`);
    }
  }

  #makeIndexes(): void {
    const target = this.#target;
    // What was given out once must not come back: not as an epoch, and not as a number of a row.
    target.exec(
      `INSERT OR REPLACE INTO meta (name, value) SELECT 'epoch', max(
         coalesce((SELECT value FROM meta WHERE name = 'epoch'), 0), coalesce((SELECT max(epoch) FROM segments), 0))`,
    );
    if (this.#hasTable("segment_runs")) {
      target.exec(SEGMENT_RUNS);
      this.#setMeta("indexed_no", "segments");
    }
    if (this.#hasTable("mailbox_index")) {
      target.exec("INSERT INTO mailbox_index SELECT address, last, no FROM mailbox_segments");
      this.#setMeta("mailbox_indexed_no", "mailbox_segments");
    }
    if (!this.#hasTable("message_changes")) return;
    target.exec("INSERT OR REPLACE INTO meta (name, value) SELECT 'messages_id', abs(random() / 2048)");
    target.exec("DELETE FROM message_changes");
  }

  #setMeta(name: string, table: string): void {
    const newest = this.#target.prepare(`SELECT coalesce(max(no), 0) AS no FROM ${table}`).get() as { no: number };
    const value = Math.max(newest.no, this.#numberInMeta(name) ?? 0);
    this.#target.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)").run(name, value);
  }

  /** Of the damaged file. */
  #numberInMeta(name: string): number | undefined {
    try {
      const row = this.#source.prepare("SELECT value FROM meta WHERE name = ?").get(name) as { value: number };
      return row?.value;
    } catch {
      return undefined;
    }
  }

  #markSessions(): number {
    const mark = `UPDATE sessions SET body = json_set(body, '$.damagedAt', ${this.#now})`;
    if (this.#isUnclear) this.#target.exec(mark);
    else {
      const one = this.#target.prepare(`${mark} WHERE id = ?`);
      for (const id of this.#losers) one.run(id);
    }
    const sql = "SELECT count(*) AS n FROM sessions WHERE json_extract(body, '$.damagedAt') = ?";
    return (this.#target.prepare(sql).get(this.#now) as { n: number }).n;
  }

  /** After the last change of a row. Earlier versions did not count. */
  #countBytes(): void {
    const column = "SELECT 1 FROM pragma_table_info('segments') WHERE name = 'uncounted'";
    if (this.#target.prepare(column).get() !== undefined) this.#target.exec(RECOUNT);
  }

  #hasTable(name: string): boolean {
    return (
      this.#target.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined
    );
  }
}

/** As the schema makes it. */
const SEGMENT_RUNS = `
  INSERT INTO segment_runs
    SELECT session, min(first_seq), max(last_seq), json_group_array(no ORDER BY first_seq) FROM (
      SELECT *, (row_number() OVER (PARTITION BY session ORDER BY first_seq) - 1) / ${STORAGE_LIMITS.indexRunRows} AS run
      FROM segments
    ) GROUP BY session, run`;

/** Whether a row is what was once written: a page of content that was overwritten can be read without an error. */
function isWhole({ json = [], lines }: Table, row: TableRow): boolean {
  try {
    for (const column of json) JSON.parse(String(row[column]));
    if (lines === undefined) return true;
    const texts = String(row[lines.column]).split("\n");
    for (const text of texts) JSON.parse(text);
    return texts.length === Number(row[lines.last]) - Number(row[lines.first]) + 1;
  } catch {
    return false;
  }
}
