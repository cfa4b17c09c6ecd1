import type { SessionId, SessionMessage } from "@daemon-sdk/protocol";
import type { SessionRow } from "./session-rows.js";
import { key, type SqliteDatabase } from "./sqlite-database.js";
import { applyDrop, applyMove, PUT_SESSION, SESSION_MARK } from "./sqlite-drafts.js";
import type { SqliteJournal } from "./sqlite-journal.js";
import type { SqliteRelay } from "./sqlite-relay.js";
import type { PendingRequestRow, StoreWrite, TurnRow } from "./store.js";

/** Where {@link applyWrite} makes changes. */
export interface WriteTargets {
  readonly database: SqliteDatabase;
  readonly journal: SqliteJournal;
  readonly relay: SqliteRelay;
}

/** Applies one change. Called inside a transaction of the journals' index. */
export function applyWrite({ database, journal, relay }: WriteTargets, write: StoreWrite): void {
  switch (write.kind) {
    case "session":
    case "draft":
      putSession(database, write.row, write.kind === "draft" ? SESSION_MARK.draft : null);
      break;
    case "move":
      applyMove(database, write.change);
      break;
    case "deleteSession":
    case "dropDraft":
      applyDrop({ database, journal }, write);
      break;
    case "segment":
      journal.put(write.row);
      break;
    case "message":
    case "retractMessage":
      if (write.kind === "message") putMessage(database, write.sessionId, write.message);
      else dropMessage(database, write.sessionId, write.messageId);
      break;
    case "turn":
    case "promptPart":
      if (write.kind === "turn") putTurn(database, write.row, write.prompt);
      else putPromptPart(database, write);
      break;
    case "request":
      putRequest(database, write.row);
      break;
    case "agentProcess":
    case "agentProcessGone":
      applyAgentProcess(database, write);
      break;
    case "pruneJournal":
      journal.prune(write.sessionId, write.beforeSeq);
      break;
    default:
      relay.apply(write);
  }
}

function putSession(database: SqliteDatabase, row: SessionRow, draft: 1 | null): void {
  database.run(PUT_SESSION, ...[key(row.id), row.updatedAt, row.owner ?? null, JSON.stringify(row), draft]);
}

function applyAgentProcess(
  database: SqliteDatabase,
  write: Extract<StoreWrite, { kind: "agentProcess" | "agentProcessGone" }>,
): void {
  if (write.kind === "agentProcessGone") database.run("DELETE FROM agent_processes WHERE pid = ?", write.pid);
  else {
    const sql = "INSERT OR REPLACE INTO agent_processes (pid, body) VALUES (?, ?)";
    database.run(sql, write.row.pid, JSON.stringify(write.row));
  }
}

function putTurn(database: SqliteDatabase, row: TurnRow, prompt: string | undefined): void {
  database.run(
    "INSERT OR REPLACE INTO turns (session, id, ordinal, state, ended_at, body) VALUES (?, ?, ?, ?, ?, ?)",
    ...[key(row.sessionId), key(row.id), row.ordinal, row.state, row.endedAt ?? null, JSON.stringify(row)],
  );
  if (prompt === undefined) return;
  database.run(
    "INSERT OR REPLACE INTO prompts (session, id, body) VALUES (?, ?, ?)",
    ...[key(row.sessionId), key(row.id), prompt],
  );
}

function putPromptPart(
  database: SqliteDatabase,
  { sessionId, id, part, bytes }: Extract<StoreWrite, { kind: "promptPart" }>,
): void {
  const place = [key(sessionId), key(id)] as const;
  if (part === 0) database.run("DELETE FROM prompt_parts WHERE session = ? AND id = ?", ...place);
  database.run("INSERT INTO prompt_parts (session, id, part, body) VALUES (?, ?, ?, ?)", ...place, part, bytes);
}

function putMessage(database: SqliteDatabase, sessionId: SessionId, message: SessionMessage): void {
  database.run(
    `INSERT INTO messages (session, id, role, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (session, id) DO UPDATE SET role = excluded.role, body = excluded.body`,
    ...[key(sessionId), key(message.id), key(message.role), JSON.stringify(message)],
  );
}

function dropMessage(database: SqliteDatabase, sessionId: SessionId, messageId: string): void {
  database.run("DELETE FROM messages WHERE session = ? AND id = ?", key(sessionId), key(messageId));
}

function putRequest(database: SqliteDatabase, row: PendingRequestRow): void {
  database.run(
    `INSERT INTO requests (id, session, resolved_at, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET resolved_at = excluded.resolved_at, body = excluded.body`,
    ...[key(row.id), key(row.sessionId), row.resolvedAt ?? null, JSON.stringify(row)],
  );
}
