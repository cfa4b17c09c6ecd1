import type { SessionId, SessionMessage } from "@daemon-sdk/protocol";
import type { RelayWrite, SqliteRelay } from "./relay/index.js";
import { DROPPED_ROW, type SqliteBytes } from "./sqlite-bytes.js";
import { key, numberOf, type SqliteDatabase, type SqlValue } from "./sqlite-database.js";
import { applyDrop, SESSION_MARK } from "./sqlite-drafts.js";
import type { SqliteJournal } from "./sqlite-journal.js";
import type { PendingRequestRow, SessionRow, StoreWrite, TurnRow } from "./store.js";

/** Where {@link applyWrite} makes changes. */
export interface WriteTargets {
  readonly database: SqliteDatabase;
  readonly journal: SqliteJournal;
  readonly relay: SqliteRelay;
  readonly bytes: SqliteBytes;
}

/** Applies changes, and counts their bytes. Called inside a transaction of the journals' index. */
export function applyWrites(targets: WriteTargets, writes: readonly StoreWrite[]): void {
  const { journal, bytes } = targets;
  const stating = statingSegment(writes);
  for (const write of writes) if (write !== stating) applyWrite(targets, write);
  if (stating !== undefined) journal.put(stating.row, bytes.uncounted());
}

/** The segment that states what the others changed, and so is written last: none where its journal is pruned after it. */
function statingSegment(writes: readonly StoreWrite[]): Extract<StoreWrite, { kind: "segment" }> | undefined {
  const at = writes.findLastIndex(({ kind }) => kind === "segment");
  const last = writes[at];
  const isPruned = writes.some(({ kind }, index) => index > at && (kind === "pruneJournal" || kind === "dropDraft"));
  return last?.kind === "segment" && !isPruned ? last : undefined;
}

function applyWrite(targets: WriteTargets, write: StoreWrite): void {
  const { journal } = targets;
  switch (write.kind) {
    case "session":
    case "draft":
      putSession(targets, write.row, write.kind === "draft" ? SESSION_MARK.draft : null);
      break;
    case "deleteSession":
    case "dropDraft":
      applyDrop(targets, write);
      break;
    case "segment":
      journal.put(write.row);
      break;
    case "message":
      putMessage(targets, write.sessionId, write.message);
      break;
    case "retractMessage":
      dropMessage(targets, write.sessionId, write.messageId);
      break;
    case "turn":
      putTurn(targets, write.row, write.prompt);
      break;
    case "promptPart":
      putPromptPart(targets, write);
      break;
    case "request":
      putRequest(targets, write.row);
      break;
    case "pruneJournal":
      journal.prune(write.sessionId, write.beforeSeq);
      break;
    default:
      applyOther(targets, write);
  }
}

/** What is no part of a session that is served here. */
function applyOther(targets: WriteTargets, write: MoveWrite | ProcessWrite | RelayWrite): void {
  switch (write.kind) {
    case "arriving":
    case "moved":
    case "forgetMoved":
    case "raiseEpoch":
      applyMove(targets, write);
      break;
    case "agentProcess":
    case "agentProcessGone":
      applyAgentProcess(targets.database, write);
      break;
    default:
      targets.relay.apply(write);
  }
}

type ProcessWrite = Extract<StoreWrite, { kind: "agentProcess" | "agentProcessGone" }>;

/** Bytes of a row that may be there, by its key. */
function bytesOf(database: SqliteDatabase, row: string, ...values: SqlValue[]): number {
  return numberOf(database.get(`SELECT octet_length(body) AS bytes FROM ${row}`, ...values), "bytes");
}

function putSession(targets: WriteTargets, row: SessionRow, draft: 1 | null): void {
  putRow(targets, row, JSON.stringify(row), draft);
}

/** Writes what stands in the place of a session's row. */
function putRow(
  { database, bytes }: WriteTargets,
  { id, updatedAt, owner }: Pick<SessionRow, "id" | "updatedAt" | "owner">,
  body: string,
  draft: number | null,
): void {
  bytes.putRow(id, owner ?? "", Buffer.byteLength(body), () => bytes.besideRow(id));
  database.run(PUT_SESSION, key(id), updatedAt, owner ?? null, body, draft);
}

const PUT_SESSION = "INSERT OR REPLACE INTO sessions (id, updated_at, owner, body, draft) VALUES (?, ?, ?, ?, ?)";
const FORGET = `DELETE FROM sessions WHERE draft = ? AND updated_at < ? RETURNING ${DROPPED_ROW}`;

type MoveWrite = Extract<StoreWrite, { kind: "arriving" | "moved" | "forgetMoved" | "raiseEpoch" }>;

function applyMove(targets: WriteTargets, write: MoveWrite): void {
  switch (write.kind) {
    case "arriving": {
      const { row, arrival } = write;
      putRow(targets, row, JSON.stringify({ row, arrival }), SESSION_MARK.arriving);
      break;
    }
    case "moved": {
      const { sessionId: id, movedAt: updatedAt, owner } = write.mark;
      putRow(targets, { id, updatedAt, owner }, JSON.stringify(write.mark), SESSION_MARK.leaving);
      break;
    }
    case "forgetMoved":
      for (const row of targets.database.all(FORGET, SESSION_MARK.moved, write.before)) {
        targets.bytes.dropRow(targets.database.json<SessionId>(row, "id"), row);
      }
      break;
    case "raiseEpoch":
      targets.database.run("UPDATE meta SET value = max(value, ?) WHERE name = 'epoch'", write.epoch);
  }
}

function applyAgentProcess(database: SqliteDatabase, write: ProcessWrite): void {
  if (write.kind === "agentProcessGone") database.run("DELETE FROM agent_processes WHERE pid = ?", write.pid);
  else {
    const sql = "INSERT OR REPLACE INTO agent_processes (pid, body) VALUES (?, ?)";
    database.run(sql, write.row.pid, JSON.stringify(write.row));
  }
}

function putTurn({ database, bytes }: WriteTargets, row: TurnRow, prompt: string | undefined): void {
  const place = [key(row.sessionId), key(row.id)] as const;
  database.run(
    "INSERT OR REPLACE INTO turns (session, id, ordinal, state, ended_at, body) VALUES (?, ?, ?, ?, ?, ?)",
    ...[...place, row.ordinal, row.state, row.endedAt ?? null, JSON.stringify(row)],
  );
  if (prompt === undefined) return;
  bytes.addPrompt(row.sessionId, Buffer.byteLength(prompt));
  const values = [...place, prompt] as const;
  if (database.run("INSERT OR IGNORE INTO prompts (session, id, body) VALUES (?, ?, ?)", ...values) > 0) return;
  const old = database.get(
    "SELECT no, octet_length(body) AS bytes FROM prompts WHERE session = ? AND id = ?",
    ...place,
  );
  bytes.dropPrompt(row.sessionId, numberOf(old, "no"), numberOf(old, "bytes"));
  database.run("INSERT OR REPLACE INTO prompts (session, id, body) VALUES (?, ?, ?)", ...values);
}

function putPromptPart(
  { database, bytes: counted }: WriteTargets,
  { sessionId, id, part, bytes }: Extract<StoreWrite, { kind: "promptPart" }>,
): void {
  const place = [key(sessionId), key(id)] as const;
  if (part === 0) {
    const sql = "DELETE FROM prompt_parts WHERE session = ? AND id = ? RETURNING octet_length(body) AS bytes";
    for (const row of database.all(sql, ...place)) counted.add(sessionId, -numberOf(row, "bytes"));
  }
  database.run("INSERT INTO prompt_parts (session, id, part, body) VALUES (?, ?, ?, ?)", ...place, part, bytes);
  counted.add(sessionId, bytes.byteLength);
}

function putMessage({ database, bytes }: WriteTargets, sessionId: SessionId, message: SessionMessage): void {
  const place = [key(sessionId), key(message.id)] as const;
  const body = JSON.stringify(message);
  bytes.add(sessionId, Buffer.byteLength(body));
  const insert = "INSERT OR IGNORE INTO messages (session, id, role, body) VALUES (?, ?, ?, ?)";
  if (database.run(insert, ...place, key(message.role), body) > 0) return;
  bytes.add(sessionId, -bytesOf(database, "messages WHERE session = ? AND id = ?", ...place));
  const update = "UPDATE messages SET role = ?3, body = ?4 WHERE session = ?1 AND id = ?2";
  database.run(update, ...place, key(message.role), body);
}

function dropMessage({ database, bytes }: WriteTargets, sessionId: SessionId, messageId: string): void {
  const place = [key(sessionId), key(messageId)] as const;
  bytes.add(sessionId, -bytesOf(database, "messages WHERE session = ? AND id = ?", ...place));
  database.run("DELETE FROM messages WHERE session = ? AND id = ?", ...place);
}

function putRequest({ database, bytes }: WriteTargets, row: PendingRequestRow): void {
  const body = JSON.stringify(row);
  bytes.add(row.sessionId, Buffer.byteLength(body));
  const values = [key(row.id), row.resolvedAt ?? null, body] as const;
  const insert = "INSERT OR IGNORE INTO requests (id, resolved_at, body, session) VALUES (?, ?, ?, ?)";
  if (database.run(insert, ...values, key(row.sessionId)) > 0) return;
  bytes.add(row.sessionId, -bytesOf(database, "requests WHERE id = ?", key(row.id)));
  database.run("UPDATE requests SET resolved_at = ?2, body = ?3 WHERE id = ?1", ...values);
}
