import { CloseCode, type Credit, DaemonError, type Logger } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import type { EntryRun } from "../storage/index.js";
import { CreditMeter } from "./credit-meter.js";
import type { EntryBatches } from "./entry-batches.js";
import type { EntryFrames } from "./entry-frames.js";
import { earlyCopy, isFreeEntry, isRequestFrame, requestIdOf, resolvedCopy } from "./journal-frame.js";
import type { FrameSink, JournalReader } from "./journal-reader.js";

/** The journal a cursor moves in. */
export interface CursorSource {
  /** Last entry that has been committed, and so may be delivered. */
  readonly committedSeq: number;
  /** Makes the messages of cursors that may send several entries at once … */
  readonly batches: Pick<EntryBatches, "at">;
  /** … and those of single entries. */
  readonly frames: Pick<EntryFrames, "frameOf">;
  /** As of `Store`. */
  readEntries(fromSeq: number, maxBytes: number, maxEntries?: number): Promise<EntryRun>;
}

/** Where a cursor begins, and how far it may go. */
export interface CursorStart {
  /** First entry that it delivers. */
  readonly fromSeq: number;
  /** How much it may send before it is granted more; default without bound. */
  readonly credit?: Credit | undefined;
  /** First entry that may need an early copy; default `fromSeq`. Before `fromSeq`, for a cursor that skips entries. */
  readonly earlyFromSeq?: number | undefined;
  /** Called when its next entry is gone, and nothing after that; default: the connection is closed. */
  readonly onPositionGone?: ((text: string) => void) | undefined;
}

/** Options of {@link Cursor}. */
export interface CursorOptions extends CursorStart {
  readonly source: CursorSource;
  readonly client: JournalReader;
  /** Whether this client is the one (or one of those) to ask. */
  wantsRequest(requestId: string): boolean;
  /** Whether a request still waits for an answer. */
  isPending(requestId: string): boolean;
  readonly logger: Logger;
}

/**
 * One client's place in one journal.
 *
 *   held ─start→ lagging ⇄ live          close: any → closed
 *                   ⇅
 *                blocked
 *
 * A live cursor passes on what was just committed. When the connection is full the cursor lags: it drops the entries and
 * reads them from the store once the client has caught up, so a client that does not read costs no memory and slows nobody.
 * Each entry is delivered once, in order. When the store no longer has the next entry, the cursor ends with an error.
 *
 * A blocked cursor has no credit for its next entry. It only scans new entries and sends early copies of what must not wait,
 * each at most once; the entry itself follows in order (docs/protocol.md §9). A cursor whose next entry is gone does the same
 * before it reports that.
 */
export class Cursor {
  readonly #options: CursorOptions;
  readonly #sink: FrameSink;
  readonly #credit: CreditMeter | undefined;
  readonly #sendsBatches: boolean;
  #state: "held" | "lagging" | "blocked" | "live" | "closed" = "held";
  #nextSeq: number;
  /** Last entry that was delivered, or scanned for what must not wait. */
  #scannedSeq: number;
  /** The entry at `#nextSeq` costs credit, and there is none. */
  #isSpent = false;
  /** Where the journal goes on after entries that are gone; set once the cursor comes to them. */
  #goesOnAt: number | undefined;
  /** Reads, or waits for the connection. */
  #isBusy = false;

  constructor(options: CursorOptions) {
    this.#options = options;
    this.#sink = options.client.sink;
    this.#nextSeq = options.fromSeq;
    this.#scannedSeq = (options.earlyFromSeq ?? options.fromSeq) - 1;
    this.#credit = options.credit === undefined ? undefined : new CreditMeter(options.credit);
    this.#sendsBatches = options.credit?.batches === true;
  }

  /** Position of the entry it delivers next. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Last entry that the client was sent, or that was scanned: everything up to here that must not wait was sent. */
  get scannedSeq(): number {
    return this.#scannedSeq;
  }

  /** Begins to deliver: call it when the answer with the client's position has been sent. */
  start(): void {
    if (this.#state !== "held") return;
    this.#state = "lagging";
    this.#catchUp();
  }

  /** Lets it send more. Changes nothing for one without bound. */
  grant(credit: Credit): void {
    if (this.#credit === undefined || this.#state === "closed") return;
    this.#credit.grant(credit);
    if (this.#credit.isSpent) return;
    this.#isSpent = false;
    if (this.#state === "blocked") this.#state = "lagging";
    this.#catchUp();
  }

  /**
   * Takes entries that were just committed. A cursor that lags ignores them: it will read them.
   *
   * @param mayHoldFree false when none of them is free of credit, so that a blocked cursor need not scan them
   */
  deliver(run: EntryRun, mayHoldFree = true): void {
    if (this.#state === "live") this.#deliver(run, mayHoldFree);
    else if (this.#state === "blocked" && !mayHoldFree && this.#scannedSeq === run.firstSeq - 1) {
      this.#scannedSeq += run.entries.length;
    } else if (this.#state === "blocked" && !this.#sendEarly(run)) this.#fallBehind();
  }

  /** Delivers nothing more. */
  close(): void {
    this.#state = "closed";
  }

  #deliver(run: EntryRun, mayHoldFree: boolean): void {
    const { firstSeq, entries } = run;
    if (firstSeq !== this.#nextSeq) {
      this.#gap(firstSeq);
      return;
    }
    if (this.#send(run)) return;
    // At once, while these are in memory.
    if (this.#isSpent && mayHoldFree) this.#sendEarly(run);
    else if (this.#isSpent) this.#scannedSeq = Math.max(this.#scannedSeq, firstSeq + entries.length - 1);
    this.#fallBehind();
  }

  #fallBehind(): void {
    this.#state = "lagging";
    this.#catchUp();
  }

  /** Sends until the connection is full, or the credit spent. True when all of it was sent. */
  #send({ epoch, entries }: EntryRun): boolean {
    let at = 0;
    while (at < entries.length && !this.#sink.isFull) {
      const sent = this.#sendsBatches ? this.#sendBatch(entries, at, epoch) : 0;
      if (sent === 0 && !this.#sendOne(entries[at] ?? "", epoch)) break;
      at += sent || 1;
    }
    this.#scannedSeq = Math.max(this.#scannedSeq, this.#nextSeq - 1);
    return at === entries.length;
  }

  /** How many entries were sent as one message. */
  #sendBatch(entries: readonly string[], at: number, epoch: number): number {
    const credit = this.#credit;
    if (credit === undefined || credit.isSpent) return 0;
    const batch = this.#options.source.batches.at(entries, at, { epoch, seq: this.#nextSeq }, credit);
    if (batch === undefined) return 0;
    this.#nextSeq += batch.count;
    credit.spend(Buffer.byteLength(batch.text), batch.count);
    this.#sink.send(batch.text);
    return batch.count;
  }

  /** False when there is no credit for it. */
  #sendOne(entry: string, epoch: number): boolean {
    this.#isSpent = this.#credit?.isSpent === true && !isFreeEntry(entry);
    if (this.#isSpent) return false;
    const frame = this.#options.source.frames.frameOf(entry, { epoch, seq: this.#nextSeq });
    // Without a bound nothing is counted, so that it costs nothing.
    if (this.#credit !== undefined && !isFreeEntry(entry)) this.#credit.spend(Buffer.byteLength(frame));
    this.#nextSeq++;
    if (!isRequestFrame(entry)) this.#sink.send(frame);
    else this.#sendRequest(frame);
    return true;
  }

  #sendRequest(frame: string): void {
    const { wantsRequest, isPending } = this.#options;
    const id = requestIdOf(frame);
    if (wantsRequest(id)) this.#sink.send(isPending(id) ? frame : resolvedCopy(frame));
  }

  /** Scans entries and sends copies of what must not wait, until the connection is full. True when all of them were scanned. */
  #sendEarly({ firstSeq, epoch, entries }: EntryRun): boolean {
    const lastSeq = Math.min(firstSeq + entries.length - 1, this.#scanUntil);
    while (this.#scannedSeq < lastSeq) {
      if (this.#sink.isFull) return false;
      const seq = ++this.#scannedSeq;
      const entry = entries[seq - firstSeq];
      if (entry === undefined || !isFreeEntry(entry) || !this.#isNews(entry)) continue;
      this.#sink.send(earlyCopy(this.#options.source.frames.frameOf(entry, { epoch, seq })));
    }
    return true;
  }

  #isNews(entry: string): boolean {
    if (!isRequestFrame(entry)) return true;
    const { wantsRequest, isPending } = this.#options;
    const id = requestIdOf(entry);
    return isPending(id) && wantsRequest(id);
  }

  /** Last entry that is worth a scan: what the cursor can deliver in order needs no early copy. */
  get #scanUntil(): number {
    const isHeldBack = this.#isSpent || this.#goesOnAt !== undefined;
    return isHeldBack ? Number.POSITIVE_INFINITY : this.#nextSeq - 1;
  }

  #catchUp(): void {
    if (this.#isBusy || this.#state !== "lagging") return;
    const { source } = this.#options;
    const isScanning = this.#scannedSeq < Math.min(source.committedSeq, this.#scanUntil);
    if (this.#sink.isFull) this.#awaitWritable();
    else if (isScanning) void this.#read((committed) => this.#scanAhead(committed));
    else if (this.#goesOnAt !== undefined) this.#reportGap(this.#goesOnAt);
    else if (this.#isSpent) this.#state = "blocked";
    else if (this.#nextSeq > source.committedSeq) this.#state = "live";
    else void this.#read(() => this.#readPage());
  }

  #awaitWritable(): void {
    this.#isBusy = true;
    this.#sink.onceWritable(() => {
      this.#isBusy = false;
      this.#catchUp();
    });
  }

  async #read(work: (committedSeq: number) => Promise<void>): Promise<void> {
    const { source, logger } = this.#options;
    this.#isBusy = true;
    try {
      // What was asked for with this is answered before the page is sent, and a long journal does not keep the others waiting.
      await new Promise((resolve) => setImmediate(resolve));
      await work(source.committedSeq);
    } catch (error) {
      logger.error({ error: String(error), seq: this.#nextSeq }, "could not read the journal for a client that lags");
      this.#end(new DaemonError("STORAGE_FAILED", "The journal could not be read. Load the session again."));
    } finally {
      this.#isBusy = false;
    }
    this.#catchUp();
  }

  async #readPage(): Promise<void> {
    // No more than the credit covers, and one entry that shows that it is spent: a client grants a quarter of its window at a time,
    // and a whole page for each grant would read every entry many times.
    const maxEntries = this.#credit && this.#credit.entries + 1;
    const run = await this.#options.source.readEntries(this.#nextSeq, JOURNAL_LIMITS.readPageBytes, maxEntries);
    if (this.#state !== "lagging") return;
    if (run.entries.length === 0 || run.firstSeq !== this.#nextSeq) this.#gap(run.firstSeq);
    else if (!this.#send(run) && this.#isSpent) this.#sendEarly(run);
  }

  /** What the store no longer has gets no early copy; it is a gap once the cursor comes to it. */
  async #scanAhead(committedSeq: number): Promise<void> {
    const run = await this.#options.source.readEntries(this.#scannedSeq + 1, JOURNAL_LIMITS.readPageBytes);
    if (this.#state !== "lagging") return;
    const firstSeq = run.entries.length === 0 ? committedSeq + 1 : run.firstSeq;
    this.#scannedSeq = Math.max(this.#scannedSeq, Math.min(firstSeq - 1, this.#scanUntil));
    this.#sendEarly({ ...run, firstSeq });
  }

  /** The client has to attach anew, and skips entries: of these it is sent what must not wait, if it knows early copies. */
  #gap(firstSeq: number): void {
    this.#goesOnAt = firstSeq;
    if (this.#options.onPositionGone === undefined) this.#reportGap(firstSeq);
    else this.#fallBehind();
  }

  #reportGap(firstSeq: number): void {
    const text = `The journal no longer has entry ${this.#nextSeq} (it goes on at ${firstSeq}). Load the session again.`;
    const { onPositionGone } = this.#options;
    if (onPositionGone === undefined) this.#end(new DaemonError("SLOW_CONSUMER", text));
    else {
      this.close();
      onPositionGone(text);
    }
  }

  #end(error: DaemonError): void {
    this.close();
    this.#options.client.fail(error, CloseCode.slowConsumer);
  }
}
