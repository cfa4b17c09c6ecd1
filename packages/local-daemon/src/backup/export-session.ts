import { type SessionId, SessionNotFoundError } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { SegmentInfo, Store, TurnRow } from "../storage/index.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import { entriesLine } from "./entries-line.js";
import { SESSION_FORMAT, type SessionLine } from "./session-lines.js";

/** What is read of a store. */
type Source = Pick<
  Store,
  | "journalSegments"
  | "readEntries"
  | "readMessageRun"
  | "readPrompt"
  | "readPromptParts"
  | "readSession"
  | "requestsOf"
  | "turnsBelow"
>;

/**
 * One session as lines: its row, conversation, turns with their prompts and receipts, requests, and what is kept of its journal.
 *
 * MCP servers are left out, because they hold secrets; their names are there. Rejects with `SessionNotFoundError`.
 */
export async function* exportSession(store: Source, id: SessionId, now = Date.now()): AsyncGenerator<SessionLine> {
  const row = await store.readSession(id);
  if (row === undefined) throw new SessionNotFoundError(id);
  const { mcpServers = [], ...session } = row;
  yield {
    type: "session",
    format: SESSION_FORMAT,
    version: LOCAL_DAEMON_VERSION,
    exportedAt: new Date(now).toISOString(),
    session,
    ...(mcpServers.length > 0 && { mcpServers: mcpServers.map(({ name }) => name) }),
  };
  yield* messagesOf(store, id);
  for (const turn of await turnsOf(store, id)) yield await turnLine(store, turn);
  for (const request of await store.requestsOf(id)) yield { type: "request", request };
  yield* entriesOf(store, id);
}

async function* messagesOf(store: Source, id: SessionId): AsyncGenerator<SessionLine> {
  const { copyMessages: limit, copyBytes: maxBytes } = STORAGE_LIMITS;
  for (let after = 0; ; ) {
    const { messages, lastNo } = await store.readMessageRun(id, { after, limit, maxBytes });
    if (messages.length === 0) return;
    for (const { message } of messages) yield { type: "message", message };
    after = lastNo;
  }
}

async function turnsOf(store: Source, id: SessionId): Promise<TurnRow[]> {
  const newestFirst: TurnRow[] = [];
  for (let below = Number.MAX_SAFE_INTEGER; ; ) {
    const turns = await store.turnsBelow(id, below, 256);
    newestFirst.push(...turns);
    const last = turns.at(-1);
    if (last === undefined) return newestFirst.reverse();
    below = last.ordinal;
  }
}

/** A turn as a line, with its prompt. */
export async function turnLine(
  store: Pick<Store, "readPrompt" | "readPromptParts">,
  turn: TurnRow,
): Promise<Extract<SessionLine, { type: "turn" }>> {
  const prompt = await store.readPrompt(turn.sessionId, turn.id);
  const parts = await store.readPromptParts(turn.sessionId, turn.id);
  return {
    type: "turn",
    turn,
    ...(prompt !== undefined && { prompt }),
    ...(parts.length > 0 && { promptParts: parts.map((part) => Buffer.from(part).toString("base64")) }),
  };
}

async function* entriesOf(store: Source, id: SessionId): AsyncGenerator<SessionLine> {
  const newestFirst: SegmentInfo[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const segments = await store.journalSegments(id, before, 256);
    newestFirst.push(...segments);
    const last = segments.at(-1);
    if (last === undefined) break;
    before = last.firstSeq;
  }
  for (const { epoch, firstSeq, lastSeq, createdAt } of newestFirst.reverse()) {
    const { entries } = await store.readEntries(id, firstSeq, 1);
    const own = entries.slice(0, lastSeq - firstSeq + 1);
    yield entriesLine({ sessionId: id, epoch, firstSeq, createdAt, entries: own });
  }
}
