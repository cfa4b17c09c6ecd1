import { closeSync, openSync, rmSync } from "node:fs";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { DaemonError, type SessionMessage } from "@daemon-sdk/protocol";
import { SEARCH_LIMITS } from "../limits/index.js";
import { type MessageChange, type MessageSource, numberOf, SqliteDatabase, textOf } from "../storage/index.js";
import type { Candidate } from "./hit-collector.js";
import { searchableTexts, TEXT_KINDS } from "./message-texts.js";
import { indexedText } from "./search-terms.js";

/** Steps to the present tables. The tables of an owner are made when something of theirs is indexed. */
const SCHEMA: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE owners (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
  `,
];
/** Counts the ways in which texts were ever made to tokens; an index of another way is built anew. */
const TOKENS_VERSION = 1;
/** Primary result codes of SQLite that mean: this is no database, or a broken one. */
const BROKEN: ReadonlySet<number> = new Set([11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */]);
/** … and, while it is opened: it has other tables. */
const OTHER_TABLES = 1; // SQLITE_ERROR
const KINDS = TEXT_KINDS.length;

/** Who owns tables of the index, by the number in their names. */
export type OwnerNo = number;

/**
 * The search index in one SQLite file: a cache of what the store holds, thrown away when it is damaged or of another store.
 *
 * Each owner (the person, and each configured key) has tables of their own, with numbers of their own: how long a search
 * among them takes does not depend on what others have. An owner's words are in shards of so many documents: a statement
 * cannot be stopped, and the beginning of a word costs one as much as all words that begin so. The texts are kept too, compressed, so that a search needs the
 * store only for the rows of the sessions it found.
 */
export class SearchIndex {
  readonly #path: string;
  readonly #owners = new Map<string, OwnerNo>();
  #database: SqliteDatabase | undefined;

  /** @param path of the file, or `:memory:` */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Opens it as the index of `source`, empty if it was not. Returns the message up to which it has been filled; undefined
   * when it holds every message but those that changed since it last took changes.
   */
  open(source: MessageSource): number | undefined {
    try {
      this.#openFile();
      if (this.#isNew()) return this.#begin(source);
      if (this.#isOf(source)) return this.#filledTo(source);
    } catch (error) {
      if (!isBroken(error) && !isOther(error)) throw error;
    }
    this.discard();
    this.#openFile();
    return this.#begin(source);
  }

  /** Closes the file. */
  close(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#owners.clear();
  }

  /** Throws the index away. */
  discard(): void {
    try {
      this.close();
    } catch {
      // What a broken file says when it is closed changes nothing.
    }
    if (this.#path === ":memory:") return;
    for (const suffix of ["", "-wal", "-journal", "-shm"]) rmSync(this.#path + suffix, { force: true });
  }

  /**
   * Takes changed messages, all of them or none.
   *
   * @param filledTo the message up to which it holds every one now; "all" when it does for good
   */
  put(changes: readonly MessageChange[], filledTo?: number | "all"): void {
    const database = this.#open();
    // What is remembered of a transaction that fails may not be so.
    this.#owners.clear();
    database.transaction(() => {
      const emptied = new Set<string>();
      for (const change of changes) this.#putMessage(database, change, emptied);
      for (const words of emptied) database.dropTable(words);
      const lastNo = changes.reduce((last, { no }) => Math.max(last, no), this.#read("last_no") ?? 0);
      this.#write({ last_no: lastNo });
      if (filledTo === "all") database.run("DELETE FROM meta WHERE name = 'filled_to'");
      else if (filledTo !== undefined) this.#write({ filled_to: filledTo });
    });
    // Room of messages that are gone goes back to the disk, a slice at a time.
    const isGone = changes.some(({ body }) => body === undefined);
    if (isGone && database.shrink() === 0) database.truncateLog();
  }

  /** The tables that a search looks into: those of one key, or all. */
  ownersFor(keyId: string | undefined): OwnerNo[] {
    if (keyId !== undefined) return [this.#storedOwner(ownerId(keyId))].filter((no) => no !== undefined);
    return this.#open()
      .all("SELECT no FROM owners ORDER BY no")
      .map((row) => numberOf(row, "no"));
  }

  /** The newest shard of an owner that holds documents, of those below another one; undefined when there is none. */
  shardBelow(owner: OwnerNo, shard: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const end = Math.min(shard * SEARCH_LIMITS.shardDocuments, Number.MAX_SAFE_INTEGER);
    const row = this.#open().get(`SELECT max(doc) AS doc FROM docs_${owner} WHERE doc < ?`, end);
    const last = numberOf(row, "doc");
    return last === 0 ? undefined : shardOf(last);
  }

  /** Documents of one shard with a text that matches, newest first, each once. */
  matches(owner: OwnerNo, shard: number, expression: string): number[] {
    const words = wordsTable(owner, shard);
    const rows = this.#open().all(
      `SELECT rowid AS place FROM ${words} WHERE ${words} MATCH ? ORDER BY rowid DESC`,
      expression,
    );
    return [...new Set(rows.map((row) => Math.trunc(numberOf(row, "place") / KINDS)))];
  }

  /** The session of a document: all that is read of one in a session of which enough was found. */
  sessionOf(owner: OwnerNo, doc: number): string {
    const row = this.#open().get(`SELECT session FROM docs_${owner} WHERE doc = ?`, doc);
    return row === undefined ? "" : (JSON.parse(textOf(row, "session")) as string);
  }

  /** The texts of a document. */
  candidates(owner: OwnerNo, doc: number): readonly Candidate[] {
    const body = this.#open().get(`SELECT body FROM docs_${owner} WHERE doc = ?`, doc)?.body;
    if (!(body instanceof Uint8Array)) return [];
    return JSON.parse(inflateRawSync(body).toString()) as Candidate[];
  }

  /** @param emptied tables of shards that hold no document afterwards */
  #putMessage(database: SqliteDatabase, { no, sessionId, owner, body }: MessageChange, emptied: Set<string>): void {
    const table = this.#ownerNo(database, owner);
    const known = numberOf(database.get(`SELECT doc FROM docs_${table} WHERE message = ?`, no), "doc");
    if (known > 0) {
      const words = wordsTable(table, shardOf(known));
      database.run(`DELETE FROM ${words} WHERE rowid BETWEEN ? AND ?`, known * KINDS, known * KINDS + KINDS - 1);
      database.run(`DELETE FROM docs_${table} WHERE doc = ?`, known);
    }
    const message = body === undefined ? undefined : (JSON.parse(Buffer.from(body).toString()) as SessionMessage);
    const texts = message === undefined ? [] : searchableTexts(message);
    if (message === undefined || texts.length === 0) {
      if (known > 0 && this.#isEmpty(table, shardOf(known))) emptied.add(wordsTable(table, shardOf(known)));
      return;
    }
    const doc = known > 0 ? known : this.#newDocument(database, table);
    emptied.delete(wordsTable(table, shardOf(doc)));
    const candidates = texts.map((text): Candidate => ({ ...text, docId: message.id, role: message.role }));
    database.run(
      `INSERT INTO docs_${table} (doc, message, session, body) VALUES (?, ?, ?, ?)`,
      ...[doc, no, JSON.stringify(sessionId), deflateRawSync(JSON.stringify(candidates), { level: 3 })],
    );
    for (const { kind, text } of texts) {
      const { words, parts } = indexedText(text);
      const place = doc * KINDS + TEXT_KINDS.indexOf(kind);
      const into = wordsTable(table, shardOf(doc));
      database.run(`INSERT INTO ${into} (rowid, words, parts) VALUES (?, ?, ?)`, place, words, parts);
    }
  }

  /** The number of an owner, who gets tables with the first message. */
  #ownerNo(database: SqliteDatabase, keyId: string | undefined): OwnerNo {
    const id = ownerId(keyId);
    const known = this.#owners.get(id) ?? this.#storedOwner(id);
    if (known !== undefined) {
      this.#owners.set(id, known);
      return known;
    }
    const no = numberOf(database.get("INSERT INTO owners (id) VALUES (?) RETURNING no", id), "no");
    database.run(
      `CREATE TABLE docs_${no} (
         doc INTEGER PRIMARY KEY, message INTEGER NOT NULL UNIQUE, session TEXT NOT NULL, body BLOB NOT NULL
       ) STRICT`,
    );
    return no;
  }

  /** The number of the next document, whose shard is there. */
  #newDocument(database: SqliteDatabase, owner: OwnerNo): number {
    const doc = this.#lastDocument(owner) + 1;
    // Tokens come as they are to be compared, with spaces between them: the tokenizer only splits there.
    database.run(
      `CREATE VIRTUAL TABLE IF NOT EXISTS ${wordsTable(owner, shardOf(doc))}
       USING fts5 (words, parts, content='', contentless_delete=1, tokenize='ascii')`,
    );
    return doc;
  }

  #isEmpty(owner: OwnerNo, shard: number): boolean {
    const [first, end] = [shard * SEARCH_LIMITS.shardDocuments, (shard + 1) * SEARCH_LIMITS.shardDocuments];
    return this.#open().get(`SELECT 1 FROM docs_${owner} WHERE doc >= ? AND doc < ? LIMIT 1`, first, end) === undefined;
  }

  /** The newest document of an owner; they are numbered from 1. */
  #lastDocument(owner: OwnerNo): number {
    return numberOf(this.#open().get(`SELECT max(doc) AS doc FROM docs_${owner}`), "doc");
  }

  #storedOwner(id: string): OwnerNo | undefined {
    const row = this.#open().get("SELECT no FROM owners WHERE id = ?", id);
    return row === undefined ? undefined : numberOf(row, "no");
  }

  /** A new file is used as it is: one that is replaced stays open until the library's statements are collected. */
  #isNew(): boolean {
    return this.#open().get("SELECT name FROM meta LIMIT 1") === undefined;
  }

  #begin(source: MessageSource): number {
    this.#write({ source: source.id, tokens: TOKENS_VERSION, filled_to: 0, last_no: 0 });
    return 0;
  }

  /** Of this store, of this way to make tokens, and not ahead of the store, as after a restored backup. */
  #isOf({ id, lastNo }: MessageSource): boolean {
    const isSame = this.#read("source") === id && this.#read("tokens") === TOKENS_VERSION;
    return isSame && (this.#read("last_no") ?? 0) <= lastNo;
  }

  /** A power loss may have cost the last commits here, and not those of the store that forgot the changes. */
  #filledTo({ newestNo }: MessageSource): number | undefined {
    const known = this.#read("last_no") ?? 0;
    if (this.#read("filled_to") === undefined && known < newestNo) this.#write({ filled_to: known });
    return this.#read("filled_to");
  }

  #openFile(): void {
    // With its mode from birth: the umask belongs to the whole process, and this thread is one of several.
    if (this.#path !== ":memory:") closeSync(openSync(this.#path, "a", 0o600));
    const database = new SqliteDatabase(this.#path, { schema: SCHEMA });
    this.#database = database;
    database.open(() => {});
  }

  #read(name: string): number | undefined {
    const row = this.#open().get("SELECT value FROM meta WHERE name = ?", name);
    return row === undefined ? undefined : numberOf(row, "value");
  }

  #write(values: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      this.#open().run("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value);
    }
  }

  #open(): SqliteDatabase {
    if (this.#database !== undefined) return this.#database;
    throw new DaemonError("STORAGE_FAILED", `The search index ${this.#path} is not open.`);
  }
}

/** Whether a failure says that the file is broken, and not that it cannot be read or written now. */
export function isBroken(error: unknown): boolean {
  return BROKEN.has(resultCode(error));
}

/** Of another version: with other tables, or of a newer daemon, which the failure of the schema says without a cause. */
function isOther(error: unknown): boolean {
  return resultCode(error) === OTHER_TABLES || (DaemonError.is(error, "STORAGE_FAILED") && error.cause === undefined);
}

/** SQLite's primary result code; 0 when it failed in another way. */
function resultCode(error: unknown): number {
  const code: unknown = error instanceof Error ? Reflect.get(Object(error.cause), "sqliteCode") : undefined;
  return typeof code === "number" ? code & 0xff : 0;
}

function shardOf(doc: number): number {
  return Math.trunc(doc / SEARCH_LIMITS.shardDocuments);
}

function wordsTable(owner: OwnerNo, shard: number): string {
  return `words_${owner}_${shard}`;
}

function ownerId(keyId: string | undefined): string {
  return keyId === undefined ? "person" : `key:${JSON.stringify(keyId)}`;
}
