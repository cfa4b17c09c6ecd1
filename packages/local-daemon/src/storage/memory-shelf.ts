import type { SessionId } from "@daemon-sdk/protocol";
import type { MovingSession, SessionRow } from "./session-rows.js";
import type { PendingRequestRow, SegmentRow, TurnRow } from "./store.js";

/** Data of one session. */
export interface SessionShelf {
  row: SessionRow | undefined;
  /** While it is no session yet. */
  draft?: SessionRow | undefined;
  /** While another machine has it. */
  moving?: MovingSession | undefined;
  segments: SegmentRow[];
  /** In the order of their first write; `no` is the place in that order. */
  messages: Map<string, { no: number; text: string }>;
  turns: Map<string, TurnRow>;
  prompts: Map<string, string>;
  promptParts: Map<string, Uint8Array[]>;
}

/** Whether rows of it are to be dropped: all of a draft, and what a session that was moved away has left. */
export function isDropped({ draft, moving, messages, turns, segments, prompts, promptParts }: SessionShelf): boolean {
  if (draft !== undefined) return true;
  const rows = messages.size + turns.size + segments.length + prompts.size + promptParts.size;
  return moving?.state === "moved" && rows > 0;
}

/** Drops the marks of sessions that were moved away before that time, and that have nothing else left. */
export function forgetMoved(shelves: Map<SessionId, SessionShelf>, before: number): void {
  for (const [id, shelf] of shelves) {
    const isOver = shelf.moving?.state === "moved" && shelf.moving.mark.movedAt < before;
    if (isOver && !isDropped(shelf)) shelves.delete(id);
  }
}

/** Drops up to so many rows of a session, of whatever kind. Returns how many fewer there were. */
export function dropRows(
  shelf: SessionShelf,
  allRequests: Map<string, PendingRequestRow>,
  sessionId: SessionId,
  rows: number,
): number {
  let left = rows;
  const drop = <Key>(map: Map<Key, unknown>, keys: Iterable<Key> = map.keys()) => {
    for (const key of [...keys].slice(0, left)) {
      map.delete(key);
      left -= 1;
    }
  };
  const requests = [...allRequests.values()].filter((row) => row.sessionId === sessionId);
  drop(shelf.messages);
  drop(shelf.prompts);
  drop(shelf.promptParts);
  drop(
    allRequests,
    requests.map(({ id }) => id),
  );
  drop(shelf.turns);
  return left - shelf.segments.splice(0, left).length;
}

/** Number of a segment's last entry. */
export function endOf(segment: SegmentRow): number {
  return segment.firstSeq + segment.frames.length - 1;
}

/** Bytes of a segment's frames. */
export function bytesOf(segment: SegmentRow): number {
  return Buffer.byteLength(segment.frames.join("\n"));
}

/** Whether a turn has not ended. */
export function isOpen(turn: TurnRow): boolean {
  return turn.endedAt === undefined;
}

/** In the order of a session's queue. */
export function byOrdinal(a: TurnRow, b: TurnRow): number {
  return a.ordinal - b.ordinal;
}

/** The order that SQLite gives ids: by their JSON text. */
export function byText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(JSON.stringify(a)), Buffer.from(JSON.stringify(b)));
}

/** A copy through JSON, so that a reader's changes do not affect the store. */
export function copy<Row>(row: Row): Row {
  return row === undefined ? row : (JSON.parse(JSON.stringify(row)) as Row);
}
