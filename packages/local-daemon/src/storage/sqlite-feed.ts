import type { SessionId } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import { numberOf, type SqliteDatabase, type SqlRow } from "./sqlite-database.js";
import type { ChangeSlice, MessageChange, MessageFeed, MessageSource, StoreWrite } from "./store.js";

/** Writes that change messages. */
const CHANGING: ReadonlySet<StoreWrite["kind"]> = new Set(["message", "retractMessage", "dropDraft"]);

/** The {@link MessageFeed} of a SQLite store. Triggers record which messages change, so that no statement can miss it. */
export class SqliteFeed implements MessageFeed {
  onChange: (() => void) | undefined;
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** Called after a commit. */
  committed(writes: readonly StoreWrite[]): void {
    if (writes.some(({ kind }) => CHANGING.has(kind))) this.onChange?.();
  }

  source(): MessageSource {
    const id = this.#database.get("SELECT value FROM meta WHERE name = 'messages_id'");
    const last = this.#database.get("SELECT seq AS no FROM sqlite_sequence WHERE name = 'messages'");
    const newest = this.#database.get("SELECT max(no) AS no FROM messages");
    return { id: numberOf(id, "value"), lastNo: numberOf(last, "no"), newestNo: numberOf(newest, "no") };
  }

  changes(): ChangeSlice | undefined {
    return this.#slice(
      this.#database.all(
        `SELECT seq AS place, changes.no, changes.session, coalesce(changes.owner, sessions.owner) AS owner, octet_length(messages.body) AS bytes
         FROM message_changes AS changes
         LEFT JOIN messages ON messages.no = changes.no LEFT JOIN sessions ON sessions.id = changes.session
         ORDER BY seq LIMIT ?`,
        STORAGE_LIMITS.feedMessages,
      ),
    );
  }

  forget(through: number): void {
    this.#database.run("DELETE FROM message_changes WHERE seq <= ?", through);
  }

  messagesAfter(no: number): ChangeSlice | undefined {
    return this.#slice(
      this.#database.all(
        `SELECT no AS place, no, session, owner, octet_length(messages.body) AS bytes
         FROM messages LEFT JOIN sessions ON sessions.id = session WHERE no > ? ORDER BY no LIMIT ?`,
        ...[no, STORAGE_LIMITS.feedMessages],
      ),
    );
  }

  #slice(rows: readonly SqlRow[]): ChangeSlice | undefined {
    const changes = new Map<number, MessageChange>();
    let through: number | undefined;
    let bytes = 0;
    let isPart = rows.length >= STORAGE_LIMITS.feedMessages;
    for (const row of rows) {
      bytes += numberOf(row, "bytes");
      isPart ||= through !== undefined && bytes > STORAGE_LIMITS.feedBytes;
      if (through !== undefined && bytes > STORAGE_LIMITS.feedBytes) break;
      through = numberOf(row, "place");
      changes.set(numberOf(row, "no"), this.#change(row));
    }
    return through === undefined ? undefined : { changes: [...changes.values()], through, isPart };
  }

  #change(row: SqlRow): MessageChange {
    const no = numberOf(row, "no");
    const body = this.#database.get("SELECT CAST(body AS BLOB) AS body FROM messages WHERE no = ?", no)?.body;
    return {
      no,
      sessionId: this.#database.json<SessionId>(row, "session"),
      owner: typeof row.owner === "string" ? row.owner : undefined,
      body: body instanceof Uint8Array ? body : undefined,
    };
  }
}
