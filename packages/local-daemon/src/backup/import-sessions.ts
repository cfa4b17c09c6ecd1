import { DaemonError, isRecord, type SessionId } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { SessionRow, Store, StoreWrite } from "../storage/index.js";
import { segmentOf } from "./entries-line.js";
import { SESSION_FORMAT, type SessionLine } from "./session-lines.js";

/**
 * Stores exported sessions. Each one is a draft until its last line is stored, so that a session is there as a whole or not at all.
 *
 * Rejects with `STORAGE_FAILED` for a line that is none, and for a session whose id is taken; sessions before it are stored then.
 *
 * @returns the ids of the sessions
 */
export async function importSessions(
  store: Pick<Store, "commit" | "drafts" | "readSession">,
  lines: AsyncIterable<string>,
): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  let row: SessionRow | undefined;
  let no = 0;
  const finish = async () => {
    if (row !== undefined) await store.commit([{ kind: "session", row }]);
    row = undefined;
  };
  for await (const text of lines) {
    no += 1;
    if (text.trim() === "") continue;
    const line = readSessionLine(text, no);
    if (line.type === "session") {
      await finish();
      row = line.session;
      await refuseTaken(store, row.id);
      await dropHalf(store, row.id);
      ids.push(row.id);
      await store.commit([{ kind: "draft", row }]);
    } else if (row === undefined) throw badLine(no, "the first line must be that of a session");
    else await store.commit(writesOf(line, row.id));
  }
  await finish();
  return ids;
}

/** Reads one line; `no` is its number for the error. Throws `STORAGE_FAILED` for what is no line of a session. */
export function readSessionLine(text: string, no: number): SessionLine {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    throw badLine(no, "it is no JSON");
  }
  if (!isRecord(line) || typeof line.type !== "string" || !FIELDS.has(line.type))
    throw badLine(no, "its type is unknown");
  const field = FIELDS.get(line.type) ?? "";
  const isThere = field === "frames" ? Array.isArray(line.frames) : isRecord(line[field]);
  if (!isThere) throw badLine(no, `it lacks ${field}`);
  if (isRecord(line.session) && typeof line.session.id !== "string") throw badLine(no, "its session has no id");
  if (line.type === "session" && Number(line.format) > SESSION_FORMAT) {
    throw badLine(no, `it was written by a later version (${String(line.version)})`);
  }
  return line as unknown as SessionLine;
}

/** What a line of each type must hold. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ["session", "session"],
  ["message", "message"],
  ["turn", "turn"],
  ["request", "request"],
  ["entries", "frames"],
]);

/** What stores a line. */
export function writesOf(line: Exclude<SessionLine, { type: "session" }>, sessionId: SessionId): StoreWrite[] {
  switch (line.type) {
    case "message":
      return [{ kind: "message", sessionId, message: line.message }];
    case "request":
      return [{ kind: "request", row: { ...line.request, sessionId } }];
    case "entries":
      return [{ kind: "segment", row: segmentOf(line, sessionId) }];
    case "turn":
      return [
        ...(line.promptParts ?? []).map((part, at): StoreWrite => {
          return { kind: "promptPart", sessionId, id: line.turn.id, part: at, bytes: Buffer.from(part, "base64") };
        }),
        { kind: "turn", row: { ...line.turn, sessionId }, ...(line.prompt !== undefined && { prompt: line.prompt }) },
      ];
  }
}

/** What an import that was cut off has left of the session, or a deletion: no read finds it, and it is in the way. */
async function dropHalf(store: Pick<Store, "commit" | "drafts">, sessionId: SessionId): Promise<void> {
  while ((await store.drafts()).includes(sessionId)) {
    await store.commit([{ kind: "dropDraft", sessionId, rows: STORAGE_LIMITS.dropRows }]);
  }
}

async function refuseTaken(store: Pick<Store, "readSession">, id: SessionId): Promise<void> {
  if ((await store.readSession(id)) === undefined) return;
  throw new DaemonError(
    "STORAGE_FAILED",
    `There is a session ${id} already. Delete it first, or restore into another directory.`,
  );
}

function badLine(no: number, what: string): DaemonError {
  return new DaemonError("STORAGE_FAILED", `Line ${no} is not of an exported session: ${what}.`);
}
