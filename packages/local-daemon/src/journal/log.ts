import type { DaemonError, EnvelopeMeta, Logger, SessionId, SessionNotification } from "@daemon-sdk/protocol";
import type { SessionLimits } from "../limits/index.js";
import { sessionClosed } from "../refusals.js";
import type { FrameRun, SegmentRow, Store, StoreWrite } from "../storage/index.js";
import type { Batch, CommitSource, Committer } from "./committer.js";
import type { CursorSource } from "./cursor.js";
import { Journal } from "./journal.js";
import { JournalKeeper } from "./journal-keeper.js";

/** Options of {@link SessionLog}. */
export interface SessionLogOptions {
  readonly sessionId: SessionId;
  /** This start of the daemon. */
  readonly epoch: number;
  /** Position of the last entry the journal ever had. */
  readonly lastSeq: number;
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: SessionLimits;
  readonly now: () => number;
  readonly logger: Logger;
  /** These entries were committed: pass them on. */
  onCommitted(firstSeq: number, frames: readonly string[]): void;
  /** More waits for the store than should, or no longer does. */
  onBacklog(isOver: boolean): void;
  /** A commit failed; told once until one succeeds again. */
  onUndurable(error: DaemonError): void;
  /** First entry of the turn that runs: pruning spares it. */
  turnFirstSeq(): number | undefined;
}

/** One call to {@link SessionLog.commit} that waits for its transaction. */
interface Ask {
  readonly writes: readonly StoreWrite[];
  resolve(): void;
  reject(error: DaemonError): void;
}

/** What a batch holds until its transaction is through. */
interface InFlight {
  readonly segments: readonly SegmentRow[];
  readonly kept: ReadonlyMap<string, StoreWrite>;
  readonly asks: readonly Ask[];
  readonly waiters: readonly (() => void)[];
  readonly chars: number;
}

/**
 * What one session stores, and when others may see it: the entries of its journal together with the rows they change.
 *
 * Entries are passed on when their transaction is through. When it fails they are passed on all the same, because a turn
 * that runs cannot be taken back, but they are lost to those who come later; rows are kept and tried again.
 */
export class SessionLog implements CommitSource, CursorSource {
  readonly #options: SessionLogOptions;
  readonly #journal: Journal;
  readonly #keeper: JournalKeeper;
  #committedSeq: number;
  #kept = new Map<string, StoreWrite>();
  #asks: Ask[] = [];
  #waiters: (() => void)[] = [];
  #inFlightChars = 0;
  #phase: "draft" | "published" | "retired" = "draft";
  #isOver = false;
  #isUndurable = false;
  #hasHole = false;

  constructor(options: SessionLogOptions) {
    this.#options = options;
    this.#committedSeq = options.lastSeq;
    this.#journal = new Journal(options);
    this.#keeper = new JournalKeeper(options);
  }

  /** Position of the last entry, committed or not. */
  get lastSeq(): number {
    return this.#journal.lastSeq;
  }

  get committedSeq(): number {
    return this.#committedSeq;
  }

  /** True after a commit failed: the stored journal may end before positions that were given out. */
  get hasHole(): boolean {
    return this.#hasHole;
  }

  /** True once nothing is taken in any more. */
  get isRetired(): boolean {
    return this.#phase === "retired";
  }

  /** Begins to store: until then everything waits, so a session whose agent never came up leaves nothing behind. */
  publish(): void {
    this.#phase = "published";
    this.#enlist();
  }

  /** Stores nothing more: the session is closed, and may be open again as another object. */
  retire(): void {
    this.#phase = "retired";
  }

  append(notification: SessionNotification, meta?: EnvelopeMeta): void {
    this.#journal.append(notification, meta);
    this.#watchBacklog();
    this.#enlist();
  }

  appendRequest(id: string, method: string, params: Record<string, unknown>): string {
    const frame = this.#journal.appendRequest(id, method, params);
    this.#enlist();
    return frame;
  }

  /** Stores a row with the next transaction, and again later when that fails. The last one of a key wins. */
  save(write: StoreWrite): void {
    this.#kept.set(keyOf(write), write);
    this.#enlist();
  }

  /** Stores rows; rejects when they could not be stored, and then they never will be. */
  commit(writes: readonly StoreWrite[]): Promise<void> {
    if (this.isRetired) return Promise.reject(sessionClosed(this.#options.sessionId));
    return new Promise((resolve, reject) => {
      this.#asks.push({ writes, resolve, reject });
      this.#enlist();
    });
  }

  /** Resolves when everything so far has been tried to be stored. */
  settled(): Promise<void> {
    if (this.isRetired) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#enlist();
    });
  }

  /** Tries rows again that could not be stored. */
  retry(): void {
    if (this.#isUndurable && this.#kept.size > 0) this.#enlist();
  }

  readFrames(fromSeq: number, maxBytes: number): Promise<FrameRun> {
    return this.#options.store.readFrames(this.#options.sessionId, fromSeq, maxBytes);
  }

  takeBatch(): Batch {
    const chars = this.#journal.waitingChars;
    const segments = this.#journal.takeSegments(this.#options.now());
    const [kept, asks, waiters] = [this.#kept, this.#asks, this.#waiters];
    this.#kept = new Map();
    this.#asks = [];
    this.#waiters = [];
    this.#inFlightChars += chars;
    const entries = segments.map((row): StoreWrite => ({ kind: "segment", row }));
    // Kept rows last: what was decided while an ask waited is the newer truth.
    const writes = [...entries, ...asks.flatMap((ask) => ask.writes), ...kept.values()];
    return { writes, settle: (error) => this.#settle(error, { segments, kept, asks, waiters, chars }) };
  }

  #settle(error: DaemonError | undefined, { segments, kept, asks, waiters, chars }: InFlight): void {
    this.#inFlightChars -= chars;
    for (const { firstSeq, frames } of segments) {
      this.#committedSeq = firstSeq + frames.length - 1;
      this.#options.onCommitted(firstSeq, frames);
    }
    if (error === undefined) this.#stored(segments);
    else this.#notStored(error, kept);
    for (const ask of asks) {
      if (error === undefined) ask.resolve();
      else ask.reject(error);
    }
    for (const resolve of waiters) resolve();
    this.#watchBacklog();
  }

  #stored(segments: readonly SegmentRow[]): void {
    this.#isUndurable = false;
    const looking = this.#keeper.stored(segments, this.#options.turnFirstSeq());
    void looking?.then((prune) => {
      if (prune !== undefined) this.save(prune);
    });
  }

  #notStored(error: DaemonError, kept: ReadonlyMap<string, StoreWrite>): void {
    this.#kept = new Map([...kept, ...this.#kept]);
    if (this.#isUndurable) return;
    this.#isUndurable = true;
    this.#hasHole = true;
    this.#options.onUndurable(error);
  }

  #enlist(): void {
    if (this.#phase === "published") this.#options.committer.enlist(this);
  }

  #watchBacklog(): void {
    const isOver = this.#journal.waitingChars + this.#inFlightChars > this.#options.limits.storeBacklogBytes;
    if (isOver === this.#isOver) return;
    this.#isOver = isOver;
    this.#options.onBacklog(isOver);
  }
}

/** Rows that replace each other have one key. */
function keyOf(write: StoreWrite): string {
  switch (write.kind) {
    case "message":
      return `message ${write.message.id}`;
    case "retractMessage":
      return `message ${write.messageId}`;
    case "turn":
    case "request":
      return `${write.kind} ${write.row.id}`;
    default:
      return write.kind;
  }
}
