import { comparePositions, type Position, type SessionNotification } from "@daemon-sdk/protocol";

/** One notification or server request of a session, with its position (docs/protocol.md §9). */
export interface FakeEntry {
  readonly position: Position;
  /** Absent for a notification. */
  readonly requestId?: string;
  /** Without prefix. */
  readonly method: string;
  readonly params: object;
  /** Whether the entry needs no credit. */
  readonly isUrgent: boolean;
}

const URGENT_TYPES: ReadonlySet<string> = new Set([
  "permission_resolved",
  "ask_user_resolved",
  "agent_turn_completed",
  "session_closed",
  "session_notice",
]);

/** Whether a notification needs no credit (docs/protocol.md §9): notices of an agent need it. */
export function isUrgent({ type, code }: SessionNotification): boolean {
  return URGENT_TYPES.has(type) && code !== "AGENT_NOTICE";
}

/** Journal of one session of the fake daemon: all entries, and which of them can still be delivered. */
export class FakeJournal {
  readonly #entries: FakeEntry[] = [];
  /** Position before the first entry. */
  readonly #origin: Position;
  readonly #keep: number;
  #pruned = 0;
  #gone = 0;

  /** @param keep newest entries that a client may resume over */
  constructor(epoch: number, keep: number) {
    this.#origin = { epoch, seq: 0 };
    this.#keep = keep;
  }

  /** Position of the newest entry. */
  get position(): Position {
    return this.#entries.at(-1)?.position ?? this.#origin;
  }

  append(epoch: number, entry: Omit<FakeEntry, "position">): void {
    this.#entries.push({ ...entry, position: { epoch, seq: this.#entries.length + 1 } });
    this.#limit(this.#keep);
  }

  /** The entry of that number, pruned or not: a lagging connection still reads it. */
  entry(seq: number): FakeEntry | undefined {
    return this.#entries[seq - 1];
  }

  /** Whether a resuming client can still get the entry of that number. */
  keeps(seq: number): boolean {
    return seq > this.#pruned;
  }

  /**
   * Prunes all but the newest `keep` entries. No client can resume before them. A connection without credit that has not
   * received a pruned entry is detached when it is granted credit.
   */
  prune(keep = 0): void {
    this.#limit(keep);
    this.#gone = this.#pruned;
  }

  /** Whether a lagging connection can still get the entry of that number. */
  has(seq: number): boolean {
    return seq > this.#gone;
  }

  /** Whether the entries after a position, or after the snapshot of that position, are all kept. */
  goesOnAfter({ epoch, seq }: Position): boolean {
    const [at, next] = [seq === 0 ? this.#origin : this.entry(seq)?.position, this.entry(seq + 1)?.position];
    const isThere = at !== undefined && (seq === 0 || at.epoch <= epoch);
    return isThere && seq >= this.#pruned && (next === undefined || seq === 0 || next.epoch >= epoch);
  }

  /** The number of the first entry that is kept. */
  get firstSeq(): number {
    return this.#pruned + 1;
  }

  /** Whether `after` is a position of this journal and all entries after it are kept. */
  reachesBackTo(after: Position): boolean {
    const place = after.seq === 0 ? this.#origin : this.entry(after.seq)?.position;
    return place !== undefined && comparePositions(place, after) === 0 && after.seq >= this.#pruned;
  }

  #limit(keep: number): void {
    this.#pruned = Math.max(this.#pruned, this.#entries.length - keep);
  }
}
