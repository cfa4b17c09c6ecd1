import type { EnvelopeMeta, Position } from "@daemon-sdk/protocol";

/**
 * What an entry of a session's journal is to this client: `next` in order; `again`, in its place, after it came early; `early`,
 * ahead of its place; `duplicate`, to be dropped; `hole`, in order after entries that never came.
 */
export type EntryPlace = "next" | "again" | "early" | "duplicate" | "hole";

/** How far this client has come in one session's journal (docs/protocol.md §9). Outlives the links it is read over. */
export class SessionCursor {
  /** Entries that were dropped because they had come before, and places where entries were missing. */
  readonly counters = { duplicates: 0, holes: 0 };
  /** Of the last entry in order; numbers by themselves, because they change with every entry. */
  #epoch = 0;
  #seq = UNKNOWN;
  #hole: Position | undefined;
  /** `seq` of entries that came ahead of their place, which lies behind the present one. */
  #early: Set<number> | undefined;

  /** The last entry that came in order, or where the snapshot was taken; undefined before either. */
  get position(): Position | undefined {
    return this.#seq === UNKNOWN ? undefined : { epoch: this.#epoch, seq: this.#seq };
  }

  /** The last entry before the latest hole; undefined when there was none. */
  get hole(): Position | undefined {
    return this.#hole;
  }

  /** Entries go on behind `position` from now on. Undefined: the daemon told none, so the next entry is taken as it comes. */
  moveTo(position: Position | undefined): void {
    this.#epoch = position?.epoch ?? 0;
    this.#seq = position?.seq ?? UNKNOWN;
    for (const seq of this.#early ?? []) if (position === undefined || seq <= position.seq) this.#early?.delete(seq);
  }

  /** Takes one entry by the `_meta` of its message. Without a position everything is `next`. */
  take(meta: EnvelopeMeta | undefined): EntryPlace {
    const epoch = meta?.epoch;
    const seq = meta?.seq;
    if (epoch === undefined || seq === undefined) return "next";
    if (meta?.early === true) return this.#takeEarly(seq);
    // A new start of the daemon has a larger epoch; `seq` goes on.
    const isNext = this.#seq === UNKNOWN || (seq === this.#seq + 1 && epoch >= this.#epoch);
    if (!isNext && this.#isOld(epoch, seq)) return this.#duplicate();
    if (!isNext) this.#hole = this.position;
    this.#epoch = epoch;
    this.#seq = seq;
    const wasEarly = this.#early?.delete(seq) === true;
    if (isNext) return wasEarly ? "again" : "next";
    this.counters.holes += 1;
    return "hole";
  }

  /** It may also lie before the present place: `follow_session` skips entries, and tells those of them that must not wait. */
  #takeEarly(seq: number): EntryPlace {
    this.#early ??= new Set();
    if (this.#early.has(seq)) return this.#duplicate();
    if (seq > this.#seq) this.#early.add(seq);
    return "early";
  }

  #isOld(epoch: number, seq: number): boolean {
    return epoch < this.#epoch || (epoch === this.#epoch && seq <= this.#seq);
  }

  #duplicate(): "duplicate" {
    this.counters.duplicates += 1;
    return "duplicate";
  }
}

/** Before anything was learned. */
const UNKNOWN = -1;
