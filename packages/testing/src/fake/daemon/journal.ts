import { comparePositions, type Position } from "@daemon-sdk/protocol";

/** One notification or server request of a session, with its place (docs/protocol.md §9). */
export interface FakeEntry {
  readonly position: Position;
  /** Absent: a notification. */
  readonly requestId?: string;
  /** Without prefix. */
  readonly method: string;
  readonly params: object;
  /** Whether it does not wait for credit. */
  readonly isUrgent: boolean;
}

/** Types of what is sent at once, whatever the credit (docs/protocol.md §9). */
export const URGENT_TYPES: ReadonlySet<string> = new Set([
  "permission_resolved",
  "ask_user_resolved",
  "agent_turn_completed",
  "session_closed",
]);

/** Journal of one session of the fake daemon: everything it told, and how much of that a client may still come back to. */
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

  /** Place of the newest entry. */
  get position(): Position {
    return this.#entries.at(-1)?.position ?? this.#origin;
  }

  append(epoch: number, entry: Omit<FakeEntry, "position">): void {
    this.#entries.push({ ...entry, position: { epoch, seq: this.#entries.length + 1 } });
    this.#limit(this.#keep);
  }

  /** The entry of that number, whether a client may resume over it or not: one that lags reads what it was promised. */
  entry(seq: number): FakeEntry | undefined {
    return this.#entries[seq - 1];
  }

  /** Whether a client that comes back can still be sent the entry of that number. */
  keeps(seq: number): boolean {
    return seq > this.#pruned;
  }

  /**
   * Forgets all but the newest `keep` entries: nobody can resume before them, and a connection that was not sent those that are gone,
   * for lack of credit, is detached when it is granted more.
   */
  prune(keep = 0): void {
    this.#limit(keep);
    this.#gone = this.#pruned;
  }

  /** Whether a connection that lags can still be sent the entry of that number. */
  has(seq: number): boolean {
    return seq > this.#gone;
  }

  /** Whether `after` is a place of this journal and everything after it is still there. */
  reachesBackTo(after: Position): boolean {
    const place = after.seq === 0 ? this.#origin : this.entry(after.seq)?.position;
    return place !== undefined && comparePositions(place, after) === 0 && after.seq >= this.#pruned;
  }

  #limit(keep: number): void {
    this.#pruned = Math.max(this.#pruned, this.#entries.length - keep);
  }
}
