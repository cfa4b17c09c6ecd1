import type { SessionId } from "@daemon-sdk/protocol";
import { TURN_BYTES } from "./schema.js";
import type { PendingRequestRow, SegmentRow, SessionRow, StoredBytes, TurnRow } from "./store.js";

/** Data of one session. */
export interface SessionShelf {
  row: SessionRow | undefined;
  /** While it is no session yet. */
  draft?: SessionRow | undefined;
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
    rowBytes(shelf.row ?? shelf.draft),
    ...shelf.segments.map(bytesOf),
    ...[...shelf.messages.values()].map(({ text }) => Buffer.byteLength(text)),
    ...requests.map(rowBytes),
    ...[...shelf.prompts.values()].map(promptBytes),
    ...[...shelf.promptParts.values()].flat().map((part) => part.byteLength),
  ];
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
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

/** The bytes of sessions in memory, of each principal. */
export class MemoryBytes implements StoredBytes {
  readonly #totals = new Map<string, number>();

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
    shelf.counted = { owner: (shelf.row ?? shelf.draft)?.owner ?? "", bytes: shelf.bytes };
    this.#add(shelf.counted.owner, shelf.bytes);
  }

  #add(owner: string, bytes: number): void {
    this.#totals.set(owner, (this.#totals.get(owner) ?? 0) + bytes);
  }
}
