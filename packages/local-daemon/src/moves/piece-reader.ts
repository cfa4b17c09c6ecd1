import { DaemonError, type SessionId, type SessionPiece } from "@daemon-sdk/protocol";
import { entriesLine, type SessionLine, turnLine } from "../backup/index.js";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { SessionRow, Store } from "../storage/index.js";

/** The parts of a session, in the order in which they are read. */
const PARTS = ["message", "turn", "request", "entries"] as const;

type Part = (typeof PARTS)[number];

/** A line, and the cursor behind it. */
interface Read {
  readonly line: SessionLine;
  readonly next: string;
}

const CURSOR = /^(message|turn|request|entries):(\d+)$/;

/**
 * Reads a piece of a session that does not change meanwhile: about `maxBytes` of lines, at least one when there is one. A cursor names a
 * part and a place in it, so that a piece can be read again, also after a restart.
 */
export async function readPiece(
  store: Store,
  row: SessionRow,
  cursor: string | undefined,
  maxBytes: number,
): Promise<SessionPiece> {
  const lines: string[] = [];
  let bytes = 0;
  for await (const { line, next } of linesFrom(store, row.id, cursor)) {
    const text = JSON.stringify(line);
    lines.push(text);
    bytes += Buffer.byteLength(text);
    if (bytes >= maxBytes) return { ...(cursor === undefined ? { row } : {}), lines, next };
  }
  return { ...(cursor === undefined ? { row } : {}), lines };
}

async function* linesFrom(store: Store, id: SessionId, cursor: string | undefined): AsyncGenerator<Read> {
  const [, part, at] = cursor === undefined ? [] : (CURSOR.exec(cursor) ?? badCursor(cursor));
  const first = part === undefined ? 0 : PARTS.indexOf(part as Part);
  for (const [index, name] of PARTS.entries()) {
    if (index < first) continue;
    const place = index === first && at !== undefined ? Number(at) : undefined;
    for await (const [line, next] of READERS[name](store, id, place)) yield { line, next: `${name}:${next}` };
  }
}

type Reader = (store: Store, id: SessionId, place: number | undefined) => AsyncGenerator<[SessionLine, number]>;

const READERS: Readonly<Record<Part, Reader>> = {
  async *message(store, id, place = 0) {
    const { copyMessages: limit, copyBytes: maxBytes } = STORAGE_LIMITS;
    for (let after = place; ; ) {
      const { messages, lastNo } = await store.readMessageRun(id, { after, limit, maxBytes });
      if (messages.length === 0) return;
      for (const { no, message } of messages) yield [{ type: "message", message }, no];
      after = lastNo;
    }
  },
  async *turn(store, id, place = Number.MAX_SAFE_INTEGER) {
    for (let below = place; ; ) {
      const turns = await store.turnsBelow(id, below, 64);
      for (const turn of turns) yield [await turnLine(store, turn), turn.ordinal];
      const last = turns.at(-1);
      if (last === undefined) return;
      below = last.ordinal;
    }
  },
  async *request(store, id, place = 0) {
    for (const [index, request] of (await store.requestsOf(id)).slice(place).entries())
      yield [{ type: "request", request }, place + index + 1];
  },
  async *entries(store, id, place = 0) {
    for (let from = place; ; ) {
      // The entries of one segment: a run ends behind the segment that reaches its bytes.
      const { firstSeq, entries } = await store.readEntries(id, from, 1);
      const end = firstSeq + entries.length;
      const [segment] = entries.length === 0 ? [] : await store.journalSegments(id, end, 1);
      if (segment === undefined) return;
      const { epoch, createdAt } = segment;
      yield [entriesLine({ sessionId: id, epoch, firstSeq, createdAt, entries }), end];
      from = end;
    }
  },
};

function badCursor(cursor: string): never {
  throw new DaemonError("PROTOCOL_VIOLATION", `${JSON.stringify(cursor.slice(0, 64))} is no place in a session.`);
}
