import type { SessionId } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import { batchHead, isFreeBody, META_HEAD, metaHead, notificationHead } from "./journal-frame.js";

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
 * The texts of notifications are taken from the stored frames, so nothing is made into JSON again. The last batch is kept: clients
 * that follow a session at the same place are sent the same text.
 */
export class EntryBatches {
  readonly #head: string;
  readonly #batchHead: string;
  #last: (EntryBatch & { readonly frames: readonly string[]; readonly from: number }) | undefined;

  constructor(sessionId: SessionId) {
    this.#head = notificationHead(sessionId);
    this.#batchHead = batchHead(sessionId);
  }

  /** Entries from `frames[from]` on as one message; undefined where fewer than two can be sent together. */
  at(frames: readonly string[], from: number, bounds: BatchBounds): EntryBatch | undefined {
    const last = this.#last;
    if (
      last?.frames === frames &&
      last.from === from &&
      last.count <= bounds.entries &&
      last.text.length <= bounds.bytes
    )
      return last;
    const place = this.#placeOf(frames[from]);
    if (place === undefined) return undefined;
    const bodies = this.#bodies(frames, from, place, bounds);
    if (bodies.length < 2) return undefined;
    const text = `${this.#batchHead}${bodies.join(",")}]}${metaHead(place.epoch)}${place.seq}}}`;
    this.#last = { frames, from, count: bodies.length, text };
    return this.#last;
  }

  /** A text has at least as many bytes as units, so only texts beyond ASCII overdraw. */
  #bodies(frames: readonly string[], from: number, { epoch, seq }: Place, { entries, bytes }: BatchBounds): string[] {
    const bodies: string[] = [];
    const end = Math.min(frames.length, from + Math.min(entries, JOURNAL_LIMITS.batchEntries));
    const tailHead = `}${metaHead(epoch)}`;
    let left = Math.min(bytes, JOURNAL_LIMITS.batchChars);
    for (let at = from; at < end && left > 0; at += 1) {
      const body = this.#bodyOf(frames[at] ?? "", `${tailHead}${seq + at - from}}}`);
      if (body === undefined) break;
      bodies.push(body);
      left -= body.length + 1;
    }
    return bodies;
  }

  /** The notification of an entry that has this position and nothing else in its `_meta`, and that costs credit. */
  #bodyOf(frame: string, tail: string): string | undefined {
    const start = this.#head.length;
    if (!frame.startsWith(this.#head) || !frame.endsWith(tail) || isFreeBody(frame, start)) return undefined;
    return frame.slice(start, -tail.length);
  }

  #placeOf(frame = ""): Place | undefined {
    const [, epoch, seq] = PLACE.exec(frame.slice(frame.lastIndexOf(META_HEAD))) ?? [];
    return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) };
  }
}

interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** The end of a frame whose `_meta` holds the position alone. */
const PLACE = /^,"_meta":\{"epoch":(\d+),"seq":(\d+)\}\}$/;
