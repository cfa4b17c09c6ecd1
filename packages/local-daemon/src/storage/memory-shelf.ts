import type { SessionId, SessionMessage } from "@daemon-sdk/protocol";
import type { StoredMessage } from "./message-page.js";
import { TURN_BYTES } from "./schema.js";
import type {
  EntryRun,
  MovingSession,
  OldestQuery,
  PendingRequestRow,
  SegmentInfo,
  SegmentRow,
  SessionRow,
  TurnRow,
} from "./store.js";
import type { StoredBytes } from "./stored-bytes.js";

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
  /** Bytes of everything here, and of whose they are counted as yet; the person's owner is empty. */
  bytes: number;
  counted: { owner: string; bytes: number };
}

/** A session without anything. */
export function emptyShelf(): SessionShelf {
  return {
    row: undefined,
    segments: [],
    messages: new Map(),
    turns: new Map(),
    prompts: new Map(),
    promptParts: new Map(),
    bytes: 0,
    counted: { owner: "", bytes: 0 },
  };
}

/** Drops the segments that end before a position, but never the last one. Returns their bytes. */
export function pruneSegments(shelf: SessionShelf, beforeSeq: number): number {
  const isKept = (segment: SegmentRow, index: number) =>
    endOf(segment) >= beforeSeq || index === shelf.segments.length - 1;
  const dropped = shelf.segments.filter((segment, index) => !isKept(segment, index));
  shelf.segments = shelf.segments.filter(isKept);
  return dropped.reduce((sum, segment) => sum + bytesOf(segment), 0);
}

/** Stores a message, in its former place or else in place `no`. Returns the bytes that are more. */
export function putMessage({ messages }: SessionShelf, message: SessionMessage, no: number): number {
  const old = messages.get(message.id);
  const text = JSON.stringify(message);
  messages.set(message.id, { no: old?.no ?? no, text });
  return Buffer.byteLength(text) - Buffer.byteLength(old?.text ?? "");
}

/** Stores a turn, and its prompt where one is given. Returns the bytes that are more. */
export function putTurn({ turns, prompts }: SessionShelf, row: TurnRow, prompt: string | undefined): number {
  turns.set(row.id, copy(row));
  if (prompt === undefined) return 0;
  const more = promptBytes(prompt) - promptBytes(prompts.get(row.id));
  prompts.set(row.id, prompt);
  return more;
}

/** Appends a part of a prompt; the first one replaces those that there are. Returns the bytes that are more. */
export function putPromptPart({ promptParts }: SessionShelf, id: string, part: number, bytes: Uint8Array): number {
  const old = promptParts.get(id) ?? [];
  promptParts.set(id, [...(part === 0 ? [] : old), bytes.slice()]);
  return bytes.byteLength - (part === 0 ? old.reduce((sum, one) => sum + one.byteLength, 0) : 0);
}

/** What stands in the place of the session's row. */
export function storedRow({ row, draft, moving }: SessionShelf): object | undefined {
  if (row !== undefined || draft !== undefined || moving === undefined) return row ?? draft;
  return moving.state === "moved" ? moving.mark : { row: moving.row, arrival: moving.arrival };
}

/** Bytes of a row as it is stored; 0 for none. */
export function rowBytes(row: object | undefined): number {
  return row === undefined ? 0 : Buffer.byteLength(JSON.stringify(row));
}

/** Bytes of a prompt with its turn; 0 for none. */
export function promptBytes(prompt: string | undefined): number {
  return prompt === undefined ? 0 : Buffer.byteLength(prompt) + TURN_BYTES;
}

/** Bytes of everything that a session has; its requests lie elsewhere. */
export function shelfBytes(shelf: SessionShelf, requests: readonly PendingRequestRow[]): number {
  const sizes = [
    rowBytes(storedRow(shelf)),
    ...shelf.segments.map(bytesOf),
    ...[...shelf.messages.values()].map(({ text }) => Buffer.byteLength(text)),
    ...requests.map(rowBytes),
    ...[...shelf.prompts.values()].map(promptBytes),
    ...[...shelf.promptParts.values()].flat().map((part) => part.byteLength),
  ];
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Whether rows of it are to be dropped: all of a draft, and what a session that was moved away has left. */
export function isDropped({ draft, moving, messages, turns, segments, prompts, promptParts }: SessionShelf): boolean {
  if (draft !== undefined) return true;
  const rows = messages.size + turns.size + segments.length + prompts.size + promptParts.size;
  return moving?.state === "moved" && rows > 0;
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
  return segment.firstSeq + segment.entries.length - 1;
}

/** Bytes of a segment's entries. */
export function bytesOf(segment: SegmentRow): number {
  return Buffer.byteLength(segment.entries.join("\n"));
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

/** The bytes of sessions in memory, of each principal. */
export class MemoryBytes implements StoredBytes {
  readonly #totals = new Map<string, number>();

  /** @param ofSession what a session has stored */
  constructor(readonly ofSession: (id: SessionId) => number) {}

  of(owner: string | undefined): number {
    return this.#totals.get(owner ?? "") ?? 0;
  }

  all(): ReadonlyMap<string | undefined, number> {
    const stored = [...this.#totals].filter(([, bytes]) => bytes > 0);
    return new Map(stored.map(([owner, bytes]) => [owner === "" ? undefined : owner, bytes]));
  }

  /** A session has changed, in bytes or in its owner. Without a row it is the person's. */
  count(shelf: SessionShelf): void {
    this.#add(shelf.counted.owner, -shelf.counted.bytes);
    shelf.counted = { owner: ownerOf(shelf) ?? "", bytes: shelf.bytes };
    this.#add(shelf.counted.owner, shelf.bytes);
  }

  #add(owner: string, bytes: number): void {
    this.#totals.set(owner, (this.#totals.get(owner) ?? 0) + bytes);
  }
}

function ownerOf({ row, draft, moving }: SessionShelf): string | undefined {
  const moved = moving?.state === "moved" ? moving.mark : moving?.row;
  return (row ?? draft ?? moved)?.owner;
}

/** The messages of a session, oldest first. */
export function* messagesOf(shelf: SessionShelf | undefined): IterableIterator<StoredMessage> {
  for (const { no, text } of shelf?.messages.values() ?? []) {
    yield { no, text, parse: () => JSON.parse(text) as SessionMessage };
  }
}

/** Entries from a position on; see `Store`. */
export function entriesOf(
  shelf: SessionShelf | undefined,
  fromSeq: number,
  maxBytes: number,
  maxEntries: number,
): EntryRun {
  const entries: string[] = [];
  let [firstSeq, epoch] = [fromSeq, 0];
  let bytes = 0;
  for (const segment of shelf?.segments ?? []) {
    if (endOf(segment) < fromSeq) continue;
    if (entries.length === 0) [firstSeq, epoch] = [Math.max(fromSeq, segment.firstSeq), segment.epoch];
    else if (segment.firstSeq !== firstSeq + entries.length || segment.epoch !== epoch) break;
    entries.push(...segment.entries.slice(Math.max(0, fromSeq - segment.firstSeq)));
    bytes += bytesOf(segment);
    if (bytes >= maxBytes || entries.length >= maxEntries) break;
  }
  return { firstSeq, epoch, entries };
}

/** Segments that end before a position, newest first; see `Store`. */
export function segmentsOf(shelf: SessionShelf | undefined, beforeSeq: number, limit: number): readonly SegmentInfo[] {
  const before = (shelf?.segments ?? []).filter((segment) => endOf(segment) < beforeSeq);
  const infos = before.slice(-limit).map((segment) => {
    const { epoch, firstSeq, createdAt } = segment;
    return { epoch, firstSeq, lastSeq: endOf(segment), bytes: bytesOf(segment), createdAt };
  });
  return infos.reverse();
}

/** A session that reads find. */
export type ServedShelf = SessionShelf & { row: SessionRow };

/** Those of a key, or all, by their last update. */
export function newestFirst(shelves: Iterable<SessionShelf>, owner: string | undefined): ServedShelf[] {
  const known = [...shelves].filter(
    (shelf): shelf is ServedShelf => shelf.row !== undefined && (owner === undefined || shelf.row.owner === owner),
  );
  return known.sort((a, b) => b.row.updatedAt - a.row.updatedAt || byText(a.row.id, b.row.id));
}

/** Of these the oldest; see `Store`. */
export function oldestOf(
  shelves: readonly ServedShelf[],
  { archived, before = Number.MAX_SAFE_INTEGER, after, limit = 64 }: OldestQuery,
): SessionRow[] {
  const dated = shelves.flatMap(({ row }) => {
    const at = archived ? row.archivedAt : row.updatedAt;
    return at === undefined || at >= before ? [] : [{ at, row }];
  });
  const isBehind = ({ at, row }: { at: number; row: SessionRow }) =>
    after === undefined || at > after.at || (at === after.at && byText(row.id, after.id) > 0);
  const behind = dated.filter(isBehind).sort((a, b) => a.at - b.at || byText(a.row.id, b.row.id));
  return behind.slice(0, limit).map(({ row }) => copy(row));
}
