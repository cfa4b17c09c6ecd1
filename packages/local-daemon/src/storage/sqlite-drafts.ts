import type { SessionId } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { MoveChange, MovedMark, MovingSession } from "./session-rows.js";
import { key, numberOf, type SqliteDatabase } from "./sqlite-database.js";
import type { SqliteJournal } from "./sqlite-journal.js";
import type { StoreWrite } from "./store.js";

/** Values of the column `draft`; NULL is a session that reads find. */
export const SESSION_MARK = {
  /** A copy that is being made, or a session that is being deleted: its rows are dropped, and the row itself. */
  draft: 1,
  /** On its way to this machine: kept as it is. */
  arriving: 2,
  /** Moved away: its other rows are dropped … */
  leaving: 3,
  /** … and only the mark is left. */
  moved: 4,
} as const;

/** Whether rows of a session are to be dropped. */
export const IS_DROPPED = `draft IN (${SESSION_MARK.draft}, ${SESSION_MARK.leaving})`;

/** Statements that drop up to `?2` rows of a session, and return one row for each. */
const DROPS: readonly string[] = [
  ...["messages", "prompts", "prompt_parts", "requests"].map(
    (table) =>
      `DELETE FROM ${table} WHERE no IN (SELECT no FROM ${table} WHERE session = ?1 ORDER BY no LIMIT ?2) RETURNING no`,
  ),
  `DELETE FROM turns WHERE session = ?1 AND id IN (SELECT id FROM turns WHERE session = ?1 LIMIT ?2) RETURNING ordinal`,
];

/** Where {@link applyDrop} makes changes. */
export interface DropTargets {
  readonly database: SqliteDatabase;
  readonly journal: SqliteJournal;
}

/** Hides a session, or drops rows of a hidden one. Called inside a transaction of the journals' index. */
export function applyDrop(
  targets: DropTargets,
  write: Extract<StoreWrite, { kind: "deleteSession" | "dropDraft" }>,
): void {
  if (write.kind === "dropDraft") dropDraft(targets, write.sessionId, write.rows);
  else
    targets.database.run(
      `UPDATE sessions SET draft = ${SESSION_MARK.draft} WHERE id = ? AND coalesce(draft, 0) <= ${SESSION_MARK.arriving}`,
      key(write.sessionId),
    );
}

/** Drops up to `rows` rows of a draft, and the draft itself once it has none. Changes nothing for a session that is no draft. */
function dropDraft({ database, journal }: DropTargets, sessionId: SessionId, rows: number): void {
  const id = key(sessionId);
  if (database.get(`SELECT 1 FROM sessions WHERE id = ? AND ${IS_DROPPED}`, id) === undefined) return;
  let left = rows;
  for (const sql of DROPS) {
    if (left > 0) left -= database.all(sql, id, left).length;
  }
  if (left > 0) left -= journal.dropOldest(sessionId, left);
  // Each row is in a page of its own, or nearly so.
  database.wrote((rows - left) * STORAGE_LIMITS.databasePageBytes);
  if (left === 0) return;
  database.run(`DELETE FROM sessions WHERE id = ? AND draft = ${SESSION_MARK.draft}`, id);
  database.run(`UPDATE sessions SET draft = ${SESSION_MARK.moved} WHERE id = ?`, id);
}

/** Makes a session, or replaces one. */
export const PUT_SESSION =
  "INSERT OR REPLACE INTO sessions (id, updated_at, owner, body, draft) VALUES (?, ?, ?, ?, ?)";

/** Whether a row is of no session that another machine has. */
export const IS_SERVED = `session NOT IN
  (SELECT id FROM sessions WHERE draft IS NOT NULL AND draft IN (${SESSION_MARK.arriving}, ${SESSION_MARK.leaving}))`;

/** Applies one change of a move. Called inside a transaction. */
export function applyMove(database: SqliteDatabase, change: MoveChange): void {
  switch (change.kind) {
    case "arriving": {
      const { row, arrival } = change;
      const body = JSON.stringify({ row, arrival });
      database.run(PUT_SESSION, ...[key(row.id), row.updatedAt, row.owner ?? null, body, SESSION_MARK.arriving]);
      break;
    }
    case "moved": {
      const { mark } = change;
      const place = [key(mark.sessionId), mark.movedAt, mark.owner ?? null];
      database.run(PUT_SESSION, ...place, JSON.stringify(mark), SESSION_MARK.leaving);
      break;
    }
    case "forgetMoved":
      database.run("DELETE FROM sessions WHERE draft = ? AND updated_at < ?", SESSION_MARK.moved, change.before);
      break;
    case "raiseEpoch":
      database.run("UPDATE meta SET value = max(value, ?) WHERE name = 'epoch'", change.epoch);
  }
}

/** A session that another machine has; see `Store`. */
export function readMoving(database: SqliteDatabase, id: SessionId): MovingSession | undefined {
  const row = database.get("SELECT draft, body FROM sessions WHERE id = ? AND draft > ?", key(id), SESSION_MARK.draft);
  if (row === undefined) return undefined;
  if (numberOf(row, "draft") !== SESSION_MARK.arriving)
    return { state: "moved", mark: database.json<MovedMark>(row, "body") };
  const { row: arriving, arrival } = database.json<Extract<MovingSession, { state: "arriving" }>>(row, "body");
  return { state: "arriving", row: arriving, arrival };
}

/** Ids of sessions of which a condition on the column `draft` holds. */
export function hiddenIds(database: SqliteDatabase, condition: string): SessionId[] {
  const rows = database.all(`SELECT id FROM sessions WHERE draft IS NOT NULL AND ${condition} ORDER BY id`);
  return rows.map((row) => database.json<SessionId>(row, "id"));
}
