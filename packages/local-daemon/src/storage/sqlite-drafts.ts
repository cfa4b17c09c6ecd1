import type { SessionId } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import { DROPPED_ROW, type SqliteBytes } from "./sqlite-bytes.js";
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
      `DELETE FROM ${table} WHERE no IN (SELECT no FROM ${table} WHERE session = ?1 ORDER BY no LIMIT ?2)
       RETURNING octet_length(body) AS bytes${table === "prompts" ? ", no AS prompt" : ""}`,
  ),
  `DELETE FROM turns WHERE session = ?1 AND id IN (SELECT id FROM turns WHERE session = ?1 LIMIT ?2) RETURNING 0 AS bytes`,
];

/** Where {@link applyDrop} makes changes. */
export interface DropTargets {
  readonly database: SqliteDatabase;
  readonly journal: SqliteJournal;
  readonly bytes: SqliteBytes;
}

/** Drops parts of large prompts that an earlier daemon did not come to accept. Called as {@link applyDrop} is. */
export function dropHalfPrompts({ database, bytes }: DropTargets): void {
  const dropped = database.all(
    `DELETE FROM prompt_parts WHERE NOT EXISTS
       (SELECT 1 FROM prompts WHERE prompts.session = prompt_parts.session AND prompts.id = prompt_parts.id)
     RETURNING session, octet_length(body) AS bytes`,
  );
  for (const row of dropped) bytes.add(database.json<SessionId>(row, "session"), -numberOf(row, "bytes"));
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
function dropDraft({ database, journal, bytes }: DropTargets, sessionId: SessionId, rows: number): void {
  const id = key(sessionId);
  if (database.get(`SELECT 1 FROM sessions WHERE id = ? AND ${IS_DROPPED}`, id) === undefined) return;
  let left = rows;
  for (const sql of DROPS) {
    if (left === 0) break;
    const dropped = database.all(sql, id, left);
    left -= dropped.length;
    for (const row of dropped) {
      if ("prompt" in row) bytes.dropPrompt(sessionId, numberOf(row, "prompt"), numberOf(row, "bytes"));
      else bytes.add(sessionId, -numberOf(row, "bytes"));
    }
  }
  if (left > 0) left -= journal.dropOldest(sessionId, left);
  // Each row is in a page of its own, or nearly so.
  database.wrote((rows - left) * STORAGE_LIMITS.databasePageBytes);
  if (left === 0) return;
  const sql = `DELETE FROM sessions WHERE id = ? AND draft = ${SESSION_MARK.draft} RETURNING ${DROPPED_ROW}`;
  for (const row of database.all(sql, id)) bytes.dropRow(sessionId, row);
  database.run(`UPDATE sessions SET draft = ${SESSION_MARK.moved} WHERE id = ?`, id);
}
