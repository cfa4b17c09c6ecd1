import type { SessionId } from "@daemon-sdk/protocol";
import type { MoveChange, MovedMark, MovingSession } from "./move-rows.js";
import { key, numberOf, type SqliteDatabase } from "./sqlite-database.js";
import { SESSION_MARK } from "./sqlite-drafts.js";

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
