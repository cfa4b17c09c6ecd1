import type { MailboxRow, MailboxState, RelayStore, RelayWrite, SegmentQuery, StoredSegment } from "./relay-rows.js";
import { key, numberOf, type SqliteDatabase, type SqlRow, textOf } from "./sqlite-database.js";

/** Makes one change of the relay true. Called inside a transaction. */
export function applyRelayWrite(database: SqliteDatabase, write: RelayWrite): void {
  switch (write.kind) {
    case "mailbox":
      database.run(
        `INSERT OR REPLACE INTO mailboxes (address, low_water, acked, last_position, waiting_bytes, body)
         VALUES (?, ?, ?, ?, ?, ?)`,
        ...[key(write.row.address), ...stateValues(write.row), write.row.body],
      );
      break;
    case "mailboxState":
      database.run(
        "UPDATE mailboxes SET low_water = ?, acked = ?, last_position = ?, waiting_bytes = ? WHERE address = ?",
        ...[...stateValues(write.state), key(write.state.address)],
      );
      break;
    case "mailboxSegment": {
      const { address, firstPosition, entries, createdAt } = write.row;
      const text = entries.join("\n");
      database.run(
        "INSERT INTO mailbox_segments (address, first, last, bytes, created_at, entries) VALUES (?, ?, ?, ?, ?, ?)",
        ...[key(address), firstPosition, firstPosition + entries.length - 1, text.length, createdAt, text],
      );
      break;
    }
    case "mailboxStream":
      database.run(
        "INSERT OR REPLACE INTO mailbox_streams (address, stream, seq) VALUES (?, ?, ?)",
        ...[key(write.address), key(write.stream), write.seq],
      );
      break;
    case "pruneMailbox":
      database.run(
        "DELETE FROM mailbox_segments WHERE address = ? AND last < ?",
        ...[key(write.address), write.beforePosition],
      );
      break;
    case "dropMailbox":
      for (const table of ["mailboxes", "mailbox_segments", "mailbox_streams"]) {
        database.run(`DELETE FROM ${table} WHERE address = ?`, key(write.address));
      }
      break;
    case "relayFact":
      putFact(database, write.scope, write.name, write.body);
      break;
  }
}

function putFact(database: SqliteDatabase, scope: string, name: string, body: string | undefined): void {
  if (body === undefined) {
    database.run("DELETE FROM relay_facts WHERE scope = ? AND name = ?", key(scope), key(name));
    return;
  }
  const sql = "INSERT OR REPLACE INTO relay_facts (scope, name, body) VALUES (?, ?, ?)";
  database.run(sql, key(scope), key(name), key(body));
}

function stateValues(state: MailboxState): [number, string, number, number] {
  return [state.lowWater, JSON.stringify(state.acked), state.lastPosition, state.waitingBytes];
}

/** The relay's part of the SQLite store. */
export class SqliteRelay implements RelayStore {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async mailboxes(): Promise<readonly (MailboxRow & { streams: readonly (readonly [string, number])[] })[]> {
    const streams = new Map<string, [string, number][]>();
    for (const row of this.#database.all("SELECT address, stream, seq FROM mailbox_streams ORDER BY address, stream")) {
      const address = textOf(row, "address");
      const known = streams.get(address) ?? [];
      streams.set(address, known);
      known.push([unkey(row, "stream"), numberOf(row, "seq")]);
    }
    return this.#database.all("SELECT * FROM mailboxes ORDER BY address").map((row) => ({
      address: unkey(row, "address"),
      lowWater: numberOf(row, "low_water"),
      acked: JSON.parse(textOf(row, "acked")) as [number, number][],
      lastPosition: numberOf(row, "last_position"),
      waitingBytes: numberOf(row, "waiting_bytes"),
      body: textOf(row, "body"),
      streams: streams.get(textOf(row, "address")) ?? [],
    }));
  }

  async readMailbox(address: string, fromPosition: number, maxBytes: number): Promise<readonly StoredSegment[]> {
    const rows = this.#database.each(
      "SELECT * FROM mailbox_segments WHERE address = ? AND last >= ? ORDER BY last",
      ...[key(address), fromPosition],
    );
    const segments: StoredSegment[] = [];
    let bytes = 0;
    for (const row of rows) {
      segments.push(segmentOf(row));
      bytes += numberOf(row, "bytes");
      if (bytes >= maxBytes) break;
    }
    return segments;
  }

  async mailboxSegments(query: SegmentQuery): Promise<readonly StoredSegment[]> {
    const { address, order, beyond, limit } = query;
    const isDescending = order === "desc";
    const values = address === undefined ? [] : [key(address)];
    const rows = this.#database.all(
      `SELECT * FROM mailbox_segments WHERE no ${isDescending ? "<" : ">"} ? ${address === undefined ? "" : "AND address = ?"}
       ORDER BY no ${isDescending ? "DESC" : "ASC"} LIMIT ?`,
      ...[beyond ?? (isDescending ? Number.MAX_SAFE_INTEGER : 0), ...values, limit],
    );
    return rows.map(segmentOf);
  }

  async relayFacts(scope: string): Promise<readonly (readonly [string, string])[]> {
    const rows = this.#database.all("SELECT name, body FROM relay_facts WHERE scope = ? ORDER BY name", key(scope));
    return rows.map((row) => [unkey(row, "name"), unkey(row, "body")] as const);
  }
}

function segmentOf(row: SqlRow): StoredSegment {
  return {
    no: numberOf(row, "no"),
    address: unkey(row, "address"),
    firstPosition: numberOf(row, "first"),
    entries: textOf(row, "entries").split("\n"),
    createdAt: numberOf(row, "created_at"),
  };
}

function unkey(row: SqlRow, column: string): string {
  return JSON.parse(textOf(row, column)) as string;
}
