import type { EnvelopeMeta, Position } from "@daemon-sdk/protocol";

/**
 * How an entry of a session's journal relates to this client's cursor. `next`: in order. `again`: in order, after its early copy.
 * `early`: an early copy. `duplicate`: received before, and to be dropped. `hole`: in order, after entries that were never
 * received.
 */
export type EntryRelation = "next" | "again" | "early" | "duplicate" | "hole";

/** The position of this client in one session's journal (docs/protocol.md §9). It outlives links. */
export class SessionCursor {
  /** Entries that were dropped as duplicates, and positions before which entries were missing. */
  get counters(): { readonly duplicates: number; readonly holes: number } {
    return { duplicates: this.#duplicates, holes: this.#holes };
  }

  #duplicates = 0;
  #holes = 0;
  /** Position of the last entry in order. Two numbers instead of an object, because they change with every entry. */
  #epoch = 0;
  #seq = UNKNOWN;
  #hole: Position | undefined;
  /** `seq` of early copies whose entries are still to come in order. */
  #early: Set<number> | undefined;

  /** Position of the last entry in order, or of the snapshot; undefined before either. */
  get position(): Position | undefined {
    return this.#seq === UNKNOWN ? undefined : { epoch: this.#epoch, seq: this.#seq };
  }

  /** The last entry before the latest hole; undefined when there was none. */
  get hole(): Position | undefined {
    return this.#hole;
  }

  /**
   * The next entry is the one after `position`. Undefined: the daemon stated no position, so the next entry is accepted at any
   * position.
   */
  moveTo(position: Position | undefined): void {
    this.#epoch = position?.epoch ?? 0;
    this.#seq = position?.seq ?? UNKNOWN;
    for (const seq of this.#early ?? []) if (position === undefined || seq <= position.seq) this.#early?.delete(seq);
  }

  /** Moves the cursor by the `_meta` of a message. A message without a position is `next`. */
  take(meta: EnvelopeMeta | undefined): EntryRelation {
    const epoch = meta?.epoch;
    const seq = meta?.seq;
    if (epoch === undefined || seq === undefined) return "next";
    if (meta?.early === true) return this.#takeEarly(seq);
    // A new start of the daemon has a larger epoch; `seq` continues.
    const isNext = this.#seq === UNKNOWN || (seq === this.#seq + 1 && epoch >= this.#epoch);
    if (!isNext && this.#isOld(epoch, seq)) return this.#duplicate();
    if (!isNext) this.#hole = this.position;
    this.#epoch = epoch;
    this.#seq = seq;
    const wasEarly = this.#early?.delete(seq) === true;
    if (isNext) return wasEarly ? "again" : "next";
    this.#holes += 1;
    return "hole";
  }

  /**
   * The position of an early copy may also lie before the cursor: `follow_session` skips entries, and sends early copies of some
   * of them.
   */
  #takeEarly(seq: number): EntryRelation {
    this.#early ??= new Set();
    if (this.#early.has(seq)) return this.#duplicate();
    if (seq > this.#seq) this.#early.add(seq);
    return "early";
  }

  #isOld(epoch: number, seq: number): boolean {
    return epoch < this.#epoch || (epoch === this.#epoch && seq <= this.#seq);
  }

  #duplicate(): "duplicate" {
    this.#duplicates += 1;
    return "duplicate";
  }
}

/** Before the first position is known. */
const UNKNOWN = -1;
