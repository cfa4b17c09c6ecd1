import { STORAGE_LIMITS } from "../../limits/index.js";
import type { Database } from "../../sqlite-library.js";
import { isDamage, isRefusedRow } from "../storage-error.js";

/** Values of the key of a row, in the order of the key's columns. */
export type Key = readonly (string | number)[];

/** One row as it was read. */
export type TableRow = Readonly<Record<string, string | number | null>>;

/** Options of {@link TableSalvage}. */
export interface TableSalvageOptions {
  readonly name: string;
  /** Columns of the primary key. */
  readonly keys: readonly string[];
  readonly columns: readonly string[];
  /** Keys that rows may have, found elsewhere; each list may end with an error where its own pages are damaged. */
  candidates(): Iterable<Iterable<Key>>;
  /** Stores a row. False when the row is not valid. */
  put(row: TableRow): boolean;
}

/**
 * Reads the rows of a table whose file is damaged in places.
 *
 * A read from either end stops at the first damaged page. Between the two places a row is read in the middle, and from there
 * again in both directions, until nothing is left between damaged places. The middle is a number for keys that are numbers;
 * for others it is one of the candidates.
 */
export class TableSalvage {
  /** Keys of rows that are known to have existed, and could not be read. */
  readonly lost: Key[] = [];
  readonly #database: Database;
  readonly #options: TableSalvageOptions;
  #candidates: readonly Key[] | undefined;
  #probes = 0;
  #isDamaged = false;

  constructor(database: Database, options: TableSalvageOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** Whether a part of the table could not be read at once. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Reads the table. Throws when a row cannot be stored because the disk is full. */
  run(): void {
    const ranges: [Key | undefined, Key | undefined][] = [[undefined, undefined]];
    for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
      const [low, high] = range;
      const up = this.#scan("ASC", low, high);
      if (up.isWhole) continue;
      const down = this.#scan("DESC", up.last, high);
      if (down.isWhole) continue;
      const middle = this.#between(up.last, down.last);
      if (middle === undefined || this.#probes >= STORAGE_LIMITS.salvageProbes) continue;
      this.#probes += 1;
      this.#read(middle);
      ranges.push([up.last, middle], [middle, down.last]);
    }
  }

  /** Reads in one direction; `last` is the key of the last row, or where the range begins. */
  #scan(
    order: "ASC" | "DESC",
    low: Key | undefined,
    high: Key | undefined,
  ): { isWhole: boolean; last: Key | undefined } {
    let last = order === "ASC" ? low : high;
    const bounds = [...(low === undefined ? [] : [`${this.#key} > ${MARKS(low)}`])];
    if (high !== undefined) bounds.push(`${this.#key} < ${MARKS(high)}`);
    const where = bounds.length === 0 ? "" : `WHERE ${bounds.join(" AND ")}`;
    const by = this.#options.keys.map((name) => `${name} ${order}`).join(", ");
    try {
      const statement = this.#database.prepare(`${this.#select} ${where} ORDER BY ${by}`);
      for (const row of statement.iterate(...(low ?? []), ...(high ?? [])) as Iterable<TableRow>) {
        last = this.#keyOf(row);
        this.#put(row, last);
      }
      return { isWhole: true, last };
    } catch (error) {
      this.#damaged(error);
      return { isWhole: false, last };
    }
  }

  #read(key: Key): void {
    try {
      const row = this.#database.prepare(`${this.#select} WHERE ${this.#key} = ${MARKS(key)}`).get(...key);
      if (row !== undefined) this.#put(row as TableRow, key);
    } catch (error) {
      this.#damaged(error);
      // A number in between may have had no row.
      if (this.#candidates !== undefined && this.#candidates.length > 0) this.lost.push(key);
    }
  }

  #put(row: TableRow, key: Key): void {
    try {
      if (this.#options.put(row)) return;
    } catch (error) {
      if (!isRefusedRow(error)) throw error;
    }
    this.#isDamaged = true;
    this.lost.push(key);
  }

  #damaged(error: unknown): void {
    if (!isDamage(error)) throw error;
    this.#isDamaged = true;
  }

  /** A key between two others, which themselves were read or tried. */
  #between(low: Key | undefined, high: Key | undefined): Key | undefined {
    this.#candidates ??= this.#findCandidates();
    const between = this.#candidates.filter(
      (key) => (low === undefined || compare(key, low) > 0) && (high === undefined || compare(key, high) < 0),
    );
    if (between.length > 0) return between[between.length >> 1];
    if (this.#options.keys.length > 1 || typeof (low ?? high ?? [0])[0] !== "number") return undefined;
    const from = Number(low?.[0] ?? 0);
    if (high === undefined) return this.#leap(from);
    const to = Number(high[0]);
    return to - from > 1 ? [Math.trunc((from + to) / 2)] : undefined;
  }

  /** The key of a row that can be read behind damaged pages, where the end of the table cannot be read either. */
  #leap(from: number): Key | undefined {
    const name = String(this.#options.keys[0]);
    const next = this.#database.prepare(
      `SELECT ${name} AS no FROM ${this.#options.name} WHERE ${name} > ? ORDER BY ${name}`,
    );
    for (let step = 1; step < Number.MAX_SAFE_INTEGER - from; step *= 2) {
      try {
        const row = next.get(from + step) as { no: number } | undefined;
        return row === undefined ? undefined : [row.no];
      } catch (error) {
        this.#damaged(error);
      }
    }
    return undefined;
  }

  #findCandidates(): readonly Key[] {
    const found = new Map<string, Key>();
    for (const keys of this.#options.candidates()) {
      try {
        for (const key of keys) found.set(JSON.stringify(key), key);
      } catch (error) {
        this.#damaged(error);
      }
    }
    return [...found.values()].sort(compare);
  }

  #keyOf(row: TableRow): Key {
    return this.#options.keys.map((name) => row[name] as string | number);
  }

  get #key(): string {
    const { keys } = this.#options;
    return keys.length === 1 ? String(keys[0]) : `(${keys.join(", ")})`;
  }

  get #select(): string {
    return `SELECT ${this.#options.columns.join(", ")} FROM ${this.#options.name}`;
  }
}

const MARKS = (key: Key) => (key.length === 1 ? "?" : `(${key.map(() => "?").join(", ")})`);

/** As SQLite compares them: text by its bytes. */
function compare(a: Key, b: Key): number {
  for (const [at, left] of a.entries()) {
    const right = b[at] ?? "";
    const order =
      typeof left === "number" ? left - Number(right) : Buffer.compare(Buffer.from(left), Buffer.from(String(right)));
    if (order !== 0) return order;
  }
  return 0;
}
