import { type Logger, type SessionId, type SessionMessage, silentLogger } from "@daemon-sdk/protocol";
import { Checkpointer, checkpointProgram } from "./checkpointer.js";
import { JournalIndex } from "./journal-index.js";
import { MessagePage, messageRun, type StoredMessage } from "./message-page.js";
import { MailboxIndex, type SegmentQuery, SqliteRelay } from "./relay/index.js";
import { SqliteBytes } from "./sqlite-bytes.js";
import { key, numberOf, SqliteDatabase, type SqlRow, textOf } from "./sqlite-database.js";
import { dropHalfPrompts, IS_DROPPED, SESSION_MARK } from "./sqlite-drafts.js";
import { SqliteFeed } from "./sqlite-feed.js";
import { SqliteJournal } from "./sqlite-journal.js";
import { applyWrites, type WriteTargets } from "./sqlite-writes.js";
import { isDamage } from "./storage-error.js";
import type {
  AgentProcessRow,
  EntryRun,
  JournalBounds,
  MessagePageQuery,
  MessageRun,
  MessageRunQuery,
  MovedMark,
  MovingSession,
  NumberedMessages,
  OldestQuery,
  PendingRequestRow,
  SegmentInfo,
  SessionPageQuery,
  SessionRow,
  Store,
  StoreWrite,
  TurnRow,
} from "./store.js";
import { StoreFile } from "./store-file.js";
import { StoreRepair } from "./store-repair.js";

/** Options of {@link SqliteStore}. */
export interface SqliteStoreOptions {
  /** Database file in a directory only we can read; made when it is missing. `:memory:` keeps nothing. */
  readonly path: string;
  /** What the file may grow to; past it commits fail with `STORAGE_FULL`. Default: as the disk allows. */
  readonly maxBytes?: number;
  /** Segments that are not written to an index yet; default `STORAGE_LIMITS.journalFreshRows`. */
  readonly journalFreshRows?: number;
  /** The same of mailboxes; default `STORAGE_LIMITS.mailboxFreshRows`. */
  readonly mailboxFreshRows?: number;
  /** Wall clock in ms, for the epoch; default `Date.now`. */
  readonly now?: () => number;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** The program of the thread that checkpoints; default the one that the build puts beside this file. */
  readonly checkpointProgram?: string;
}

/** Whether a row is of no session that another machine has. */
const IS_SERVED = `session NOT IN (SELECT id FROM sessions WHERE draft IN (${SESSION_MARK.arriving}, ${SESSION_MARK.leaving}))`;

/**
 * The {@link Store} in one SQLite file.
 *
 * Commits survive the death of this process at once; power loss may cost the last ones, which the epoch makes visible:
 * it alone is flushed to the disk, at each start, so positions handed out before never come back for other entries.
 *
 * A damaged file is replaced when the store is opened: what can be read of it is copied. When the file is deleted or replaced
 * while the store is open, commits reject with `STORAGE_FAILED` from then on: they would be lost.
 */
export class SqliteStore implements Store {
  readonly messageFeed: SqliteFeed;
  readonly storedBytes: SqliteBytes;
  readonly #database: SqliteDatabase;
  readonly #relay: SqliteRelay;
  readonly #mailboxIndex: MailboxIndex;
  readonly #index: JournalIndex;
  readonly #journal: SqliteJournal;
  readonly #now: () => number;
  /** Undefined for a store that is in no file. */
  readonly #repair: StoreRepair | undefined;
  readonly #file: StoreFile | undefined;
  /** Undefined where commits checkpoint themselves. */
  readonly #checkpointer: Checkpointer | undefined;

  constructor(options: SqliteStoreOptions) {
    const { path, maxBytes, now = Date.now, logger = silentLogger } = options;
    const isFile = path !== ":memory:";
    this.#repair = isFile ? new StoreRepair({ path, now, logger }) : undefined;
    this.#file = isFile ? new StoreFile({ path, logger }) : undefined;
    const program = isFile ? (options.checkpointProgram ?? checkpointProgram()) : undefined;
    this.#database = new SqliteDatabase(path, {
      maxBytes,
      onDamage: () => this.#repair?.note(),
      isCheckpointedElsewhere: program !== undefined,
    });
    this.#checkpointer =
      program === undefined ? undefined : new Checkpointer({ path, database: this.#database, logger, program });
    this.messageFeed = new SqliteFeed(this.#database);
    this.#mailboxIndex = new MailboxIndex(this.#database, options.mailboxFreshRows);
    this.#relay = new SqliteRelay(this.#database, this.#mailboxIndex);
    this.#index = new JournalIndex(this.#database, options.journalFreshRows);
    this.storedBytes = new SqliteBytes(this.#database, (id) => this.#journal.bytesOf(id));
    this.#journal = new SqliteJournal(this.#database, this.#index, this.storedBytes);
    this.#now = now;
  }

  async open(): Promise<{ epoch: number }> {
    await this.#repair?.beforeOpen();
    const epoch = await this.#openRepaired();
    this.#file?.opened();
    return { epoch };
  }

  /** Opens an existing file only to read it as it is now, also beside its daemon. No repair, no commit. */
  openToRead(): void {
    this.#database.openToRead();
    this.#index.open();
  }

  /** Whether opening the file again, in this process, repairs what failed. For a store that is closed. */
  opensRepairedAfter(error: unknown): boolean {
    return isDamage(error) && this.#repair?.canRepair === true;
  }

  /** Damage may show only now. */
  async #openRepaired(): Promise<number> {
    try {
      return this.#open();
    } catch (error) {
      this.#abandon();
      if (!this.opensRepairedAfter(error)) throw error;
      await this.#repair?.repair();
      return this.#open();
    }
  }

  /** Closes what could not be opened. It may be too damaged to be closed well. */
  #abandon(): void {
    try {
      this.#closeAll();
    } catch {
      // What failed first is what the caller gets.
    }
  }

  #open(): number {
    let epoch = 0;
    this.#database.open(() => {
      const stored = numberOf(this.#database.get("SELECT value FROM meta WHERE name = 'epoch'"), "value");
      epoch = Math.max(stored + 1, Math.floor(this.#now() / 1000));
      this.#database.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?)", epoch);
    });
    this.#index.open();
    this.#mailboxIndex.open();
    this.storedBytes.open();
    this.storedBytes.transaction(this.#index, () => dropHalfPrompts(this.#targets));
    return epoch;
  }

  async close(): Promise<void> {
    this.#file?.closed();
    await this.#checkpointer?.close();
    this.#closeAll();
  }

  #closeAll(): void {
    this.storedBytes.close();
    this.#index.close();
    this.#mailboxIndex.close();
    this.#database.close();
  }

  async commit(writes: readonly StoreWrite[]): Promise<void> {
    if (writes.length === 0) return;
    if (this.#checkpointer?.room !== undefined) await this.#checkpointer.room;
    this.#file?.expectSame();
    this.storedBytes.transaction(this.#index, () => applyWrites(this.#targets, writes));
    this.#checkpointer?.committed();
    this.#mailboxIndex.committed();
    this.messageFeed.committed(writes);
  }

  get #targets(): WriteTargets {
    return { database: this.#database, journal: this.#journal, relay: this.#relay, bytes: this.storedBytes };
  }

  async shrink(): Promise<boolean> {
    if (this.#checkpointer?.room !== undefined) await this.#checkpointer.room;
    this.#file?.expectSame();
    if ((this.#database.shrink() ?? 0) > 0) {
      this.#checkpointer?.committed();
      return true;
    }
    if (this.#checkpointer === undefined) this.#database.truncateLog();
    else this.#checkpointer.truncate();
    return false;
  }

  async usedBytes(): Promise<number> {
    return this.#database.usedBytes;
  }

  async readSession(id: SessionId): Promise<SessionRow | undefined> {
    return this.#bodyOf<SessionRow>(
      this.#database.get("SELECT body FROM sessions WHERE id = ? AND draft IS NULL", key(id)),
    );
  }

  async listSessions(query: SessionPageQuery): Promise<readonly (SessionRow & { messagesCount: number })[]> {
    const before = query.updatedBefore ?? Number.MAX_SAFE_INTEGER;
    const ofOwner = `draft IS NULL AND ${query.owner === undefined ? "" : "owner = ?3 AND"}`;
    const rows = this.#database.all(
      `SELECT body, (SELECT count(*) FROM messages WHERE session = sessions.id) AS messages FROM sessions
       WHERE ${ofOwner} updated_at < ?1 AND updated_at >= coalesce(
         (SELECT updated_at FROM sessions WHERE ${ofOwner} updated_at < ?1 ORDER BY updated_at DESC LIMIT 1 OFFSET ?2), 0)
       ORDER BY updated_at DESC, id`,
      ...[before, query.limit - 1],
      ...(query.owner === undefined ? [] : [query.owner]),
    );
    return rows.map((row) => ({
      ...this.#database.json<SessionRow>(row, "body"),
      messagesCount: numberOf(row, "messages"),
    }));
  }

  async oldestSessions(query: OldestQuery): Promise<readonly SessionRow[]> {
    const { archived, before = Number.MAX_SAFE_INTEGER, owner, after, limit = 64 } = query;
    const at = archived ? "json_extract(body, '$.archivedAt')" : "updated_at";
    const ofOwner = owner === undefined ? "" : "AND owner = ?5";
    const rows = this.#database.all(
      `SELECT body FROM sessions WHERE draft IS NULL ${archived ? `AND ${at} IS NOT NULL` : ""} AND ${at} < ?1
       AND (${at}, id) > (?2, ?3) ${ofOwner} ORDER BY ${at}, id LIMIT ?4`,
      ...[before, after?.at ?? -1, after === undefined ? "" : key(after.id), limit],
      ...(owner === undefined ? [] : [owner]),
    );
    return rows.map((row) => this.#database.json<SessionRow>(row, "body"));
  }

  async countSessions(owner: string): Promise<number> {
    // Both counts are of an index; of the drafts there are few.
    const drafts = "SELECT count(*) FROM sessions WHERE draft IS NOT NULL AND owner = ?1";
    const sql = `SELECT count(*) - (${drafts}) AS n FROM sessions WHERE owner = ?1`;
    return numberOf(this.#database.get(sql, owner), "n");
  }

  async readMessages(id: SessionId, query: MessagePageQuery): Promise<MessageRun> {
    const before = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor);
    const byRole = query.role === undefined ? "" : "AND role = ?4";
    const rows = this.#database.each(
      `SELECT no, body FROM messages WHERE session = ?1 AND no < ?2 ${byRole} ORDER BY no DESC LIMIT ?3`,
      ...[key(id), before, query.limit + 1],
      ...(query.role === undefined ? [] : [key(query.role)]),
    );
    const page = new MessagePage(query);
    for (const row of rows) {
      const parse = () => this.#database.json<SessionMessage>(row, "body");
      if (!page.add(numberOf(row, "no"), textOf(row, "body"), parse)) break;
    }
    return page.result();
  }

  async readMessage(id: SessionId, messageId: string): Promise<SessionMessage | undefined> {
    return this.#bodyOf<SessionMessage>(
      this.#database.get("SELECT body FROM messages WHERE session = ? AND id = ?", key(id), key(messageId)),
    );
  }

  async readMessagesFrom(id: SessionId, messageId: string, maxBytes: number): Promise<readonly SessionMessage[]> {
    const sql = `SELECT no, body FROM messages WHERE session = ?1
                 AND no >= (SELECT no FROM messages WHERE session = ?1 AND id = ?2) ORDER BY no`;
    const query = { after: 0, limit: Number.POSITIVE_INFINITY, maxBytes };
    return messageRun(this.#messages(sql, key(id), key(messageId)), query).messages.map(({ message }) => message);
  }

  async readMessageRun(id: SessionId, query: MessageRunQuery): Promise<NumberedMessages> {
    const sql = "SELECT no, body FROM messages WHERE session = ? AND no > ? ORDER BY no LIMIT ?";
    return messageRun(this.#messages(sql, key(id), query.after, query.limit), query);
  }

  *#messages(sql: string, ...values: (string | number)[]): IterableIterator<StoredMessage> {
    for (const row of this.#database.each(sql, ...values)) {
      const parse = () => this.#database.json<SessionMessage>(row, "body");
      yield { no: numberOf(row, "no"), text: textOf(row, "body"), parse };
    }
  }

  async newestMessage(id: SessionId): Promise<number> {
    return numberOf(this.#database.get("SELECT max(no) AS no FROM messages WHERE session = ?", key(id)), "no");
  }

  async drafts(): Promise<readonly SessionId[]> {
    return this.#idsWhere(IS_DROPPED);
  }

  async arrivingSessions(): Promise<readonly SessionId[]> {
    return this.#idsWhere(`draft = ${SESSION_MARK.arriving}`);
  }

  async readMoving(id: SessionId): Promise<MovingSession | undefined> {
    const row = this.#database.get("SELECT draft, body FROM sessions WHERE id = ? AND draft > 1", key(id));
    if (row === undefined) return undefined;
    if (numberOf(row, "draft") !== SESSION_MARK.arriving)
      return { state: "moved", mark: this.#database.json<MovedMark>(row, "body") };
    const { row: arriving, arrival } = this.#database.json<Extract<MovingSession, { state: "arriving" }>>(row, "body");
    return { state: "arriving", row: arriving, arrival };
  }

  async countMessages(id: SessionId): Promise<number> {
    return numberOf(this.#database.get("SELECT count(*) AS n FROM messages WHERE session = ?", key(id)), "n");
  }

  async journalBounds(id: SessionId): Promise<JournalBounds> {
    return this.#journal.bounds(id);
  }

  async readEntries(id: SessionId, fromSeq: number, maxBytes: number, maxEntries?: number): Promise<EntryRun> {
    return this.#journal.readEntries(id, fromSeq, maxBytes, maxEntries);
  }

  async journalSegments(id: SessionId, beforeSeq: number, limit: number): Promise<readonly SegmentInfo[]> {
    return this.#journal.segments(id, beforeSeq, limit);
  }

  async readTurn(sessionId: SessionId, id: string): Promise<TurnRow | undefined> {
    return this.#bodyOf<TurnRow>(
      this.#database.get("SELECT body FROM turns WHERE session = ? AND id = ?", key(sessionId), key(id)),
    );
  }

  async readPrompt(sessionId: SessionId, id: string): Promise<string | undefined> {
    const row = this.#database.get("SELECT body FROM prompts WHERE session = ? AND id = ?", key(sessionId), key(id));
    return row === undefined ? undefined : textOf(row, "body");
  }

  async readPromptParts(sessionId: SessionId, id: string): Promise<readonly Uint8Array[]> {
    const sql = "SELECT body FROM prompt_parts WHERE session = ? AND id = ? ORDER BY part";
    const rows = this.#database.all(sql, key(sessionId), key(id));
    return rows.flatMap(({ body }) => (body instanceof Uint8Array ? [body] : []));
  }

  async openTurns(sessionId?: SessionId): Promise<readonly TurnRow[]> {
    const ofSession = sessionId === undefined ? "" : "AND session = ?";
    const sql = `SELECT body FROM turns WHERE ended_at IS NULL ${ofSession} AND ${IS_SERVED} ORDER BY session, ordinal`;
    return this.#bodies<TurnRow>(sql, ...(sessionId === undefined ? [] : [key(sessionId)]));
  }

  async turnsBelow(sessionId: SessionId, ordinal: number, limit: number): Promise<readonly TurnRow[]> {
    const sql = "SELECT body FROM turns WHERE session = ? AND ordinal < ? ORDER BY ordinal DESC LIMIT ?";
    return this.#bodies<TurnRow>(sql, key(sessionId), ordinal, limit);
  }

  async lastTurnOrdinal(sessionId: SessionId): Promise<number> {
    return numberOf(this.#database.get("SELECT max(ordinal) AS n FROM turns WHERE session = ?", key(sessionId)), "n");
  }

  async readRequest(id: string): Promise<PendingRequestRow | undefined> {
    return this.#bodyOf<PendingRequestRow>(this.#database.get("SELECT body FROM requests WHERE id = ?", key(id)));
  }

  async requestsOf(sessionId: SessionId): Promise<readonly PendingRequestRow[]> {
    const sql = "SELECT body FROM requests WHERE session = ? ORDER BY no";
    return this.#bodies<PendingRequestRow>(sql, key(sessionId));
  }

  async pendingRequests(sessionId?: SessionId): Promise<readonly PendingRequestRow[]> {
    const ofSession = sessionId === undefined ? "" : "AND session = ?";
    const sql = `SELECT body FROM requests WHERE resolved_at IS NULL ${ofSession} AND ${IS_SERVED} ORDER BY no`;
    return this.#bodies<PendingRequestRow>(sql, ...(sessionId === undefined ? [] : [key(sessionId)]));
  }

  async agentProcesses(): Promise<readonly AgentProcessRow[]> {
    return this.#bodies<AgentProcessRow>("SELECT body FROM agent_processes ORDER BY pid");
  }

  mailboxes(): ReturnType<Store["mailboxes"]> {
    return this.#relay.mailboxes();
  }

  readMailbox(address: string, fromPosition: number, maxBytes: number): ReturnType<Store["readMailbox"]> {
    return this.#relay.readMailbox(address, fromPosition, maxBytes);
  }

  mailboxSegments(query: SegmentQuery): ReturnType<Store["mailboxSegments"]> {
    return this.#relay.mailboxSegments(query);
  }

  relayFacts(scope: string): ReturnType<Store["relayFacts"]> {
    return this.#relay.relayFacts(scope);
  }

  #idsWhere(condition: string): SessionId[] {
    const rows = this.#database.all(`SELECT id FROM sessions WHERE draft IS NOT NULL AND ${condition} ORDER BY id`);
    return rows.map((row) => this.#database.json<SessionId>(row, "id"));
  }

  #bodies<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.all(sql, ...values).map((row) => this.#database.json<Row>(row, "body"));
  }

  #bodyOf<Row>(row: SqlRow | undefined): Row | undefined {
    return row === undefined ? undefined : this.#database.json<Row>(row, "body");
  }
}
