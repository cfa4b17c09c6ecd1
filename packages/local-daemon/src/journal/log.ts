import {
  type DaemonError,
  type EnvelopeMeta,
  type SessionId,
  type SessionMessage,
  type SessionNotification,
  type SessionRequest,
  SessionState,
} from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import { sessionClosed } from "../refusals.js";
import type { EntryRun, SegmentRow, StoreWrite, TurnRow } from "../storage/index.js";
import type { Batch, CommitSource } from "./committer.js";
import type { Cursor, CursorSource } from "./cursor.js";
import { EntryBatches } from "./entry-batches.js";
import { boundedNotification, type OversizedEntry, oversizedRequest } from "./entry-bound.js";
import { EntryFrames } from "./entry-frames.js";
import { mayBeFree, metaHead, requestText } from "./journal-frame.js";
import { JournalKeeper } from "./journal-keeper.js";
import type { JournalReader } from "./journal-reader.js";
import type { SessionLogOptions } from "./log-options.js";
import { PagePlaces } from "./page-places.js";
import { RecentEntries } from "./recent-entries.js";
import { segmentsOf } from "./segments.js";
import { UnstoredEntries } from "./unstored-entries.js";
import { WaitingWrites } from "./waiting-writes.js";

/**
 * The journal of one session: gives each entry its position and its final text, stores entries together with the rows they
 * change, and passes them to the cursors once their transaction is through.
 *
 * The text of an entry is written once and never changed: every client is sent what is stored. When a transaction fails its
 * entries are passed on all the same, because a turn that runs cannot be taken back, but a client that attaches later does not
 * get them; rows are kept and tried again.
 */
export class SessionLog implements CommitSource, CursorSource {
  readonly sessionId: SessionId;
  /** The session's state at the last entry, committed or not. */
  state = new SessionState({ turns: true });
  /** The cursors of the clients that follow, in the order they attached. */
  readonly cursors = new Map<JournalReader, Cursor>();
  readonly batches: EntryBatches;
  readonly frames: EntryFrames;
  readonly #options: SessionLogOptions;
  readonly #keeper: JournalKeeper;
  #lastSeq: number;
  #committedSeq: number;
  /** Made with the first thing that waits: a session that does nothing has none. */
  #waiting: WaitingWrites | undefined;
  /** Position of the last entry that may be free of credit. */
  #lastFreeSeq = 0;
  /** Rows that could not be stored yet, as they are now, also while a transaction tries again; made by the first failure. */
  #unstoredRows: Map<string, StoreWrite> | undefined;
  /** Made by the first failure. */
  #unstored: UnstoredEntries | undefined;
  /** Made with the first entries that a cursor has still to read. */
  #recent: RecentEntries | undefined;
  /** Made by the first reader of pages. */
  #pages: PagePlaces | undefined;
  #inFlightChars = 0;
  #phase: "draft" | "published" | "retired" = "draft";
  #isOver = false;
  #isUndurable = false;
  #hasHole = false;

  constructor(options: SessionLogOptions) {
    this.#options = options;
    this.sessionId = options.sessionId;
    this.#lastSeq = options.lastSeq;
    this.#committedSeq = options.lastSeq;
    this.batches = new EntryBatches(options.sessionId);
    this.frames = new EntryFrames(options.sessionId);
    this.#keeper = new JournalKeeper(options.sessionId, options.services);
  }

  /** Epoch of the positions that it gives. */
  get epoch(): number {
    return this.#options.epoch;
  }

  /** Position of the last entry, committed or not. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get committedSeq(): number {
    return this.#committedSeq;
  }

  /** True after a commit failed: the stored journal may end before positions that were given out. */
  get hasHole(): boolean {
    return this.#hasHole;
  }

  /** True once {@link retire} was called. */
  get isRetired(): boolean {
    return this.#phase === "retired";
  }

  /** Whether it stores: clients may know of the session. */
  get isPublished(): boolean {
    return this.#phase === "published";
  }

  /** Begins to store: until then everything waits, so a session whose agent never came up stores nothing. */
  publish(): void {
    this.#phase = "published";
    this.#enlist();
  }

  /** Stores nothing more: the session is closed, and may be open again as another object. */
  retire(): void {
    this.#recent?.dropBefore(Number.POSITIVE_INFINITY);
    this.#keeper.stop();
    this.#phase = "retired";
  }

  /**
   * Adds a notification, and returns it as it is stored: with its long texts cut where it was too large to be delivered,
   * undefined where it was too large all the same, and is no entry.
   *
   * @param meta what the agent's frame carried; the keys of it that only the daemon states are dropped
   * @param json of the notification, where it is known and credit counts for it
   */
  append(notification: SessionNotification, meta?: EnvelopeMeta, json?: string): SessionNotification | undefined {
    const bounded = boundedNotification(notification, json);
    if (!("text" in bounded)) {
      this.#options.session.onOversized(bounded);
      return undefined;
    }
    this.state.apply(bounded.notification);
    this.#push(this.frames.entryOf(bounded.text, { epoch: this.epoch, seq: this.#lastSeq + 1 }, meta));
    if (mayBeFree(bounded.notification)) this.#lastFreeSeq = this.#lastSeq;
    if (bounded.oversized !== undefined) this.#options.session.onOversized(bounded.oversized);
    this.#watchBacklog();
    return bounded.notification;
  }

  /**
   * Adds a request to the clients; returns its frame, or why it is too large to be one.
   *
   * @param params those of the request as JSON, which its row holds as well
   */
  appendRequest(request: SessionRequest, params: string): string | OversizedEntry {
    const text = requestText(request.id, request.method, params);
    const oversized = oversizedRequest(request.method, text);
    if (oversized !== undefined) {
      this.#options.session.onOversized(oversized);
      return oversized;
    }
    this.state.ask(request);
    this.#lastFreeSeq = this.#lastSeq + 1;
    const frame = `${text}${metaHead(this.epoch)}${this.#lastFreeSeq}}}`;
    this.#push(frame);
    return frame;
  }

  /** Stores a row with the next transaction, and again later when that fails. The last one of a key wins. */
  save(write: StoreWrite): void {
    const key = keyOf(write);
    this.#next.kept.set(key, write);
    if (this.#isUndurable) this.#unstoredRows?.set(key, write);
    this.#enlist();
  }

  /** Stores rows, and the entries before them; rejects when they could not be stored, and then they never will be. */
  commit(writes: readonly StoreWrite[] = []): Promise<void> {
    if (this.isRetired) return Promise.reject(sessionClosed(this.sessionId));
    return new Promise((resolve, reject) => {
      this.#next.asks.push({ writes, resolve, reject });
      this.#enlist();
    });
  }

  /** Resolves when everything so far has been tried to be stored. */
  settled(): Promise<void> {
    if (this.isRetired) return Promise.resolve();
    return new Promise((resolve) => {
      this.#next.waiters.push(resolve);
      this.#enlist();
    });
  }

  /** Tries rows again that could not be stored. */
  retry(): void {
    if (this.#isUndurable && this.#waiting !== undefined && this.#waiting.kept.size > 0) this.#enlist();
  }

  /** Whether the last commit failed. */
  get isUndurable(): boolean {
    return this.#isUndurable;
  }

  /** The row of a turn that ended or changed while it could not be stored: what the store has of it is of before. */
  unstoredTurn(id: string): TurnRow | undefined {
    const write = this.#unstoredRows?.get(`turn ${id}`);
    return write?.kind === "turn" ? write.row : undefined;
  }

  /** As {@link unstoredTurn}, a message of the conversation. */
  unstoredMessage(id: string): SessionMessage | undefined {
    const write = this.#unstoredRows?.get(`message ${id}`);
    return write?.kind === "message" ? write.message : undefined;
  }

  /** As {@link readEntries}, for a reader that goes on behind what it is given. */
  async readPage(fromSeq: number, maxBytes: number): Promise<EntryRun> {
    const run = await this.readEntries(fromSeq, maxBytes);
    this.#pages ??= new PagePlaces();
    this.#pages.read(fromSeq, run.firstSeq + run.entries.length);
    return run;
  }

  async readEntries(fromSeq: number, maxBytes: number, maxEntries?: number): Promise<EntryRun> {
    const { epoch } = this;
    const unstored = this.#unstored?.from(fromSeq);
    if (unstored?.firstSeq === fromSeq) return { ...unstored, epoch };
    const recent = this.#recent?.from(fromSeq);
    if (recent !== undefined) return { ...recent, epoch };
    const stored = await this.#options.services.store.readEntries(this.sessionId, fromSeq, maxBytes, maxEntries);
    const isBehind = stored.entries.length === 0 || (unstored !== undefined && unstored.firstSeq < stored.firstSeq);
    return isBehind && unstored !== undefined ? { ...unstored, epoch } : stored;
  }

  takeBatch(): Batch {
    const taken = this.#next;
    this.#waiting = undefined;
    const { entries, chars, kept, asks } = taken;
    this.#inFlightChars += chars;
    const segments = this.#segmentsOf(entries, this.#options.services.now());
    const rows = segments.map((row): StoreWrite => ({ kind: "segment", row }));
    // Kept rows last: they are newer than those of an ask that waited.
    const writes = [...rows, ...asks.flatMap((ask) => ask.writes), ...kept.values()];
    const load = { owner: this.#options.owner, entries: entries.length, chars };
    return { writes, load, settle: (error) => this.#settle(error, segments, taken) };
  }

  /** What the next transaction takes. */
  get #next(): WaitingWrites {
    this.#waiting ??= new WaitingWrites();
    return this.#waiting;
  }

  #push(entry: string): void {
    this.#lastSeq++;
    const next = this.#next;
    next.entries.push(entry);
    next.chars += entry.length;
    this.#enlist();
  }

  /** The last entries, as rows of bounded size. */
  #segmentsOf(waiting: readonly string[], createdAt: number): SegmentRow[] {
    const { sessionId, epoch } = this;
    let nextSeq = this.#lastSeq - waiting.length + 1;
    return segmentsOf(waiting).map((entries) => {
      const firstSeq = nextSeq;
      nextSeq += entries.length;
      return { sessionId, epoch, firstSeq, entries, createdAt };
    });
  }

  #settle(error: DaemonError | undefined, segments: readonly SegmentRow[], taken: WaitingWrites): void {
    const { kept, asks, waiters, chars } = taken;
    this.#inFlightChars -= chars;
    this.#dropRead();
    for (const segment of segments) {
      const { firstSeq, entries } = segment;
      if (error !== undefined && this.cursors.size > 0) this.#keepUnstored(firstSeq, entries);
      this.#committedSeq = firstSeq + entries.length - 1;
      const mayHoldFree = this.#lastFreeSeq >= firstSeq;
      for (const cursor of this.cursors.values()) cursor.deliver(segment, mayHoldFree);
      if (error === undefined && this.#leastReadSeq <= this.#committedSeq) this.#remember(firstSeq, entries);
    }
    if (error === undefined) this.#stored(segments, kept);
    else this.#notStored(error, kept);
    for (const ask of asks) {
      if (error === undefined) ask.resolve();
      else ask.reject(error);
    }
    for (const resolve of waiters) resolve();
    this.#options.services.watch.wake(this.sessionId);
    this.#watchBacklog();
  }

  #keepUnstored(firstSeq: number, entries: readonly string[]): void {
    this.#unstored ??= new UnstoredEntries();
    this.#unstored.add(firstSeq, entries);
  }

  #remember(firstSeq: number, entries: readonly string[]): void {
    this.#recent ??= new RecentEntries(this.#options.services.recent);
    this.#recent.add(firstSeq, entries);
  }

  /** What no cursor has still to read need not be remembered. */
  #dropRead(): void {
    this.#recent?.dropBefore(this.#leastReadSeq);
    if (this.#recent?.isEmpty === true) this.#recent = undefined;
    this.#unstored?.dropBefore(this.#leastNextSeq(0));
    if (this.#unstored?.isEmpty === true) this.#unstored = undefined;
  }

  /** Where the last one of those goes on who read what was committed lately. */
  get #leastReadSeq(): number {
    // Who is before this position reads so much that the store has to be asked anyway.
    const reach = this.#committedSeq - JOURNAL_LIMITS.recentReachEntries;
    return Math.min(this.#leastNextSeq(reach), this.#pages?.leastAfter(reach) ?? Number.POSITIVE_INFINITY);
  }

  /** The position of the last one of the cursors after `afterSeq`; infinite without one. */
  #leastNextSeq(afterSeq: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { nextSeq } of this.cursors.values()) if (nextSeq > afterSeq && nextSeq < least) least = nextSeq;
    return least;
  }

  #stored(segments: readonly SegmentRow[], kept: ReadonlyMap<string, StoreWrite>): void {
    this.#isUndurable = false;
    for (const [key, write] of kept) {
      if (this.#unstoredRows?.get(key) === write) this.#unstoredRows.delete(key);
      // What the journal no longer has is gone for every reader, wherever it is read from.
      if (write.kind !== "pruneJournal") continue;
      this.#recent?.dropBefore(write.beforeSeq);
      const next = this.#keeper.nextPrune();
      if (next !== undefined) this.save(next);
    }
    const looking = this.#keeper.stored(segments, this.#options.session.turnFirstSeq());
    void looking?.then((prune) => {
      if (prune !== undefined) this.save(prune);
    });
  }

  #notStored(error: DaemonError, kept: ReadonlyMap<string, StoreWrite>): void {
    const next = this.#next;
    this.#unstoredRows ??= new Map();
    next.kept = new Map([...kept, ...next.kept]);
    for (const [key, write] of next.kept) this.#unstoredRows.set(key, write);
    if (this.#isUndurable) return;
    this.#isUndurable = true;
    this.#hasHole = true;
    this.#options.session.onUndurable(error);
  }

  #enlist(): void {
    if (this.#phase === "published") this.#options.services.committer.enlist(this);
  }

  #watchBacklog(): void {
    const isOver = (this.#waiting?.chars ?? 0) + this.#inFlightChars > this.#options.services.limits.storeBacklogBytes;
    if (isOver === this.#isOver) return;
    this.#isOver = isOver;
    this.#options.session.onBacklog(isOver);
  }
}

/** Rows that replace one another have one key. */
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
