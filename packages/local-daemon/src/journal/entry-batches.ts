import type { Position, SessionId } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import { batchHead, isFrame, isFreeEntry, metaHead } from "./journal-frame.js";

/** Entries that are sent as one message. */
export interface EntryBatch {
  readonly count: number;
  readonly text: string;
}

/** How much one batch may hold. */
export interface BatchBounds {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Joins entries of one session into messages (docs/protocol.md §9, "Batches").
 *
 * Entries are joined as they are stored, so nothing is made into JSON again. The last batch is kept: clients that follow a session at
 * the same place are sent the same text.
 */
export class EntryBatches {
  readonly #sessionId: SessionId;
  /** Made with the first batch: a session that does little has none. */
  #head: string | undefined;
  #last: (EntryBatch & { readonly entries: readonly string[]; readonly from: number }) | undefined;

  constructor(sessionId: SessionId) {
    this.#sessionId = sessionId;
  }

  /**
   * Entries from `entries[from]` on as one message; undefined where fewer than two can be sent together.
   *
   * @param position of the first of them
   */
  at(entries: readonly string[], from: number, position: Position, bounds: BatchBounds): EntryBatch | undefined {
    const last = this.#last;
    if (
      last?.entries === entries &&
      last.from === from &&
      last.count <= bounds.entries &&
      last.text.length <= bounds.bytes
    )
      return last;
    const count = countOf(entries, from, bounds);
    if (count < 2) return undefined;
    this.#head ??= batchHead(this.#sessionId);
    const joined = entries.slice(from, from + count).join(",");
    const text = `${this.#head}${joined}]}${metaHead(position.epoch)}${position.seq}}}`;
    this.#last = { entries, from, count, text };
    return this.#last;
  }
}

/** How many can be sent together: notifications that cost credit and have nothing but a position in their `_meta`. */
function countOf(entries: readonly string[], from: number, bounds: BatchBounds): number {
  const end = Math.min(entries.length, from + Math.min(bounds.entries, JOURNAL_LIMITS.batchEntries));
  // A text has at least as many bytes as units, so only texts beyond ASCII overdraw.
  let left = Math.min(bounds.bytes, JOURNAL_LIMITS.batchChars);
  let at = from;
  for (; at < end && left > 0; at += 1) {
    const entry = entries[at] ?? "";
    if (isFrame(entry) || isFreeEntry(entry)) break;
    left -= entry.length + 1;
  }
  return at - from;
}
