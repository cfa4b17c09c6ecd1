import { key, numberOf, type SqliteDatabase, type SqlRow, textOf } from "../sqlite-database.js";
import type { MailboxIndex } from "./mailbox-index.js";
import type {
  MailboxRow,
  MailboxSegmentRow,
  MailboxState,
  RelayStore,
  RelayWrite,
  SegmentQuery,
  StoredSegment,
} from "./relay-rows.js";

/** The relay's part of the SQLite store. */
export class SqliteRelay implements RelayStore {
  readonly #database: SqliteDatabase;
  readonly #index: MailboxIndex;

  constructor(database: SqliteDatabase, index: MailboxIndex) {
    this.#database = database;
    this.#index = index;
  }

  /** Applies one change. Called inside a transaction. */
  apply(write: RelayWrite): void {
    switch (write.kind) {
      case "mailbox":
        this.#database.run(
          `INSERT OR REPLACE INTO mailboxes (address, low_water, acked, last_position, waiting_bytes, body)
           VALUES (?, ?, ?, ?, ?, ?)`,
          ...[key(write.row.address), ...stateValues(write.row), write.row.body],
        );
        break;
      case "mailboxState":
        this.#database.run(
          "UPDATE mailboxes SET low_water = ?, acked = ?, last_position = ?, waiting_bytes = ? WHERE address = ?",
          ...[...stateValues(write.state), key(write.state.address)],
        );
        break;
      case "mailboxSegment":
        this.#putSegment(write.row);
        break;
      case "mailboxStream":
        this.#database.run(
          "INSERT OR REPLACE INTO mailbox_streams (address, stream, seq) VALUES (?, ?, ?)",
          ...[key(write.address), key(write.stream), write.seq],
        );
        break;
      case "pruneMailbox":
        this.#index.drop(key(write.address), write.beforePosition);
        break;
      case "pruneHistory":
        this.#index.dropAcknowledged(write.throughNo);
        break;
      case "dropMailbox":
        this.#index.drop(key(write.address));
        this.#database.run("DELETE FROM mailboxes WHERE address = ?", key(write.address));
        this.#database.run("DELETE FROM mailbox_streams WHERE address = ?", key(write.address));
        break;
      case "relayFact":
        this.#putFact(write.scope, write.name, write.body);
        break;
    }
  }

  async mailboxes(): Promise<readonly (MailboxRow & { streams: readonly (readonly [string, number])[] })[]> {
    const streams = new Map<string, [string, number][]>();
    for (const row of this.#database.all("SELECT address, stream, seq FROM mailbox_streams ORDER BY address, stream")) {
      const address = textOf(row, "address");
      const known = streams.get(address) ?? [];
      streams.set(address, known);
      known.push([this.#database.json<string>(row, "stream"), numberOf(row, "seq")]);
    }
    return this.#database.all("SELECT * FROM mailboxes ORDER BY address").map((row) => ({
      address: this.#database.json<string>(row, "address"),
      lowWater: numberOf(row, "low_water"),
      acked: this.#database.json<[number, number][]>(row, "acked"),
      lastPosition: numberOf(row, "last_position"),
      waitingBytes: numberOf(row, "waiting_bytes"),
      body: textOf(row, "body"),
      streams: streams.get(textOf(row, "address")) ?? [],
    }));
  }

  async readMailbox(address: string, fromPosition: number, maxBytes: number): Promise<readonly StoredSegment[]> {
    const segments: StoredSegment[] = [];
    let bytes = 0;
    for (const row of this.#index.rows({ address: key(address), order: "asc", fromPosition })) {
      segments.push(this.#segmentOf(row));
      bytes += numberOf(row, "bytes");
      if (bytes >= maxBytes) break;
    }
    return segments;
  }

  async mailboxSegments({ address, order, beyond, limit }: SegmentQuery): Promise<readonly StoredSegment[]> {
    if (address === undefined) return this.#segments(order, beyond, limit);
    const segments: StoredSegment[] = [];
    for (const row of this.#index.rows({ address: key(address), order, beyond })) {
      if (segments.length === limit) break;
      segments.push(this.#segmentOf(row));
    }
    return segments;
  }

  async relayFacts(scope: string): Promise<readonly (readonly [string, string])[]> {
    const rows = this.#database.all("SELECT name, body FROM relay_facts WHERE scope = ? ORDER BY name", key(scope));
    return rows.map(
      (row) => [this.#database.json<string>(row, "name"), this.#database.json<string>(row, "body")] as const,
    );
  }

  /** Of all mailboxes. */
  #segments(order: "asc" | "desc", beyond: number | undefined, limit: number): readonly StoredSegment[] {
    const [sql, all] =
      order === "desc"
        ? (["< ? ORDER BY no DESC", Number.MAX_SAFE_INTEGER] as const)
        : (["> ? ORDER BY no", 0] as const);
    const rows = this.#database.all(`SELECT * FROM mailbox_segments WHERE no ${sql} LIMIT ?`, beyond ?? all, limit);
    return rows.map((row) => this.#segmentOf(row));
  }

  #putSegment({ address, firstPosition, entries, createdAt }: MailboxSegmentRow): void {
    const text = entries.join("\n");
    this.#database.run(
      "INSERT INTO mailbox_segments (no, address, first, last, bytes, created_at, entries) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...[this.#index.nextNo(), key(address), firstPosition, firstPosition + entries.length - 1],
      ...[text.length, createdAt, text],
    );
  }

  #putFact(scope: string, name: string, body: string | undefined): void {
    if (body === undefined) {
      this.#database.run("DELETE FROM relay_facts WHERE scope = ? AND name = ?", key(scope), key(name));
      return;
    }
    const sql = "INSERT OR REPLACE INTO relay_facts (scope, name, body) VALUES (?, ?, ?)";
    this.#database.run(sql, key(scope), key(name), key(body));
  }

  #segmentOf(row: SqlRow): StoredSegment {
    const first = numberOf(row, "first");
    const entries = textOf(row, "entries").split("\n");
    this.#database.expect(entries.length === numberOf(row, "last") - first + 1);
    return {
      no: numberOf(row, "no"),
      address: this.#database.json<string>(row, "address"),
      firstPosition: first,
      entries,
      createdAt: numberOf(row, "created_at"),
    };
  }
}

function stateValues(state: MailboxState): [number, string, number, number] {
  return [state.lowWater, JSON.stringify(state.acked), state.lastPosition, state.waitingBytes];
}
