import { DaemonError, type Logger } from "@daemon-sdk/protocol";
import { failpoint } from "../failpoint.js";
import { SERVING_LIMITS } from "../limits/index.js";
import { inLoop } from "../loop/index.js";
import { DaemonMetrics } from "../metrics/index.js";
import type { Store, StoreWrite } from "../storage/index.js";

/** What one source wants stored in the next transaction, and the callback for the outcome. */
export interface Batch {
  readonly writes: readonly StoreWrite[];
  /**
   * What it counts to: the id of a key, undefined for the person; how many entries it has, and their length in UTF-16 units. Default:
   * not counted.
   */
  readonly load?: { readonly owner: string | undefined; readonly entries: number; readonly chars: number };
  /** Called once, after the commit (no error) or its failure. Only now may anything of the batch be delivered. */
  settle(error: DaemonError | undefined): void;
}

/** A part with something to store, such as a session's log. */
export interface CommitSource {
  /** Hands over everything that came up since the last call. Called once per enlisting. */
  takeBatch(): Batch;
}

/** Options of {@link Committer}. */
export interface CommitterOptions {
  readonly store: Store;
  readonly logger: Logger;
  /** Default: counts that nobody reads. */
  readonly metrics?: DaemonMetrics;
  /** Storing and delivering the large entries of a principal took so long. */
  readonly onLoad?: (owner: string | undefined, ms: number) => void;
  /** Called after each transaction, before its sources are notified. */
  readonly onCommitted?: (writes: readonly StoreWrite[]) => void;
}

/**
 * The one writer of the store: one transaction per tick, over everything that all sessions have to store.
 *
 * While a transaction runs, the next one collects. Sources are notified of the outcome in the order they enlisted, after the
 * transaction is durable: that is "committed before delivered". When a transaction fails, each source is tried alone, so that
 * one bad row does not fail the others.
 */
export class Committer {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #onLoad: CommitterOptions["onLoad"];
  readonly #onCommitted: CommitterOptions["onCommitted"];
  readonly #metrics: DaemonMetrics;
  /** When the first of those came that wait: the latency of the next transaction counts from here. */
  #since = 0;
  #enlisted = new Set<CommitSource>();
  #exclusive: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;
  #isScheduled = false;

  constructor(options: CommitterOptions) {
    this.#store = options.store;
    this.#logger = options.logger;
    this.#onLoad = options.onLoad;
    this.#onCommitted = options.onCommitted;
    this.#metrics = options.metrics ?? new DaemonMetrics();
  }

  /** Takes this source's batch into the next transaction. Enlisting again before that changes nothing. */
  enlist(source: CommitSource): void {
    if (this.#enlisted.size === 0) this.#since = performance.now();
    this.#enlisted.add(source);
    this.#schedule();
  }

  /** Stores rows that belong to no session's journal. Rejects when they could not be stored. */
  commit(writes: readonly StoreWrite[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: DaemonError | undefined) => (error === undefined ? resolve() : reject(error));
      this.enlist({ takeBatch: () => ({ writes, settle }) });
    });
  }

  /** Runs `work` between two transactions: `work` reads what has been delivered, and nothing is committed meanwhile. */
  between<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#exclusive.push(() => work().then(resolve, reject));
      this.#schedule();
    });
  }

  /** Resolves when everything enlisted so far, and what its outcome enlisted, has been tried. */
  async drain(): Promise<void> {
    while (this.#isScheduled || this.#running !== undefined || this.#enlisted.size > 0) {
      await (this.#running ?? new Promise((resolve) => setImmediate(resolve)));
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#running !== undefined) return;
    this.#isScheduled = true;
    // After the sockets and pipes of this tick were read: what came together is stored together.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        if (this.#enlisted.size > 0 || this.#exclusive.length > 0) this.#schedule();
      });
    });
  }

  async #run(): Promise<void> {
    const exclusive = this.#exclusive;
    this.#exclusive = [];
    const sources = [...this.#enlisted];
    this.#enlisted = new Set();
    const since = this.#since;
    if (sources.length > 0)
      await this.#measured(
        sources.map((source) => source.takeBatch()),
        since,
      );
    // After the sources that were enlisted before: exclusive work sees what they stored.
    for (const work of exclusive) await work();
  }

  /** Commits, counts, and counts the time to those whose entries are large. */
  async #measured(batches: readonly Batch[], firstAt: number): Promise<void> {
    const large = batches.filter(({ load }) => load !== undefined && load.chars >= SERVING_LIMITS.debtCommitChars);
    const since = performance.now();
    await this.#commitAll(batches);
    this.#count(batches, firstAt);
    if (large.length === 0) return;
    const ms = performance.now() - since;
    const chars = large.reduce((sum, { load }) => sum + (load?.chars ?? 0), 0);
    for (const { load } of large) if (load !== undefined) this.#onLoad?.(load.owner, (ms * load.chars) / chars);
  }

  #count(batches: readonly Batch[], firstAt: number): void {
    let entries = 0;
    let chars = 0;
    for (const { load } of batches) {
      entries += load?.entries ?? 0;
      chars += load?.chars ?? 0;
    }
    if (entries > 0) this.#metrics.delivered(entries, chars, performance.now() - firstAt);
  }

  async #commitAll(batches: readonly Batch[]): Promise<void> {
    const error = await this.#tryCommit(batches.flatMap(({ writes }) => writes));
    if (error !== undefined && batches.length > 1) {
      for (const batch of batches) this.#settle(batch, await this.#tryCommit(batch.writes));
      return;
    }
    for (const batch of batches) this.#settle(batch, error);
  }

  async #tryCommit(writes: readonly StoreWrite[]): Promise<DaemonError | undefined> {
    const since = performance.now();
    try {
      failpoint("committing");
      await inLoop("commits of the store", () => this.#store.commit(writes));
      failpoint("committed");
      this.#metrics.commits.add();
      this.#metrics.commitDuration.record(performance.now() - since);
      this.#committed(writes);
      return undefined;
    } catch (cause) {
      const error = DaemonError.is(cause)
        ? cause
        : new DaemonError(
            "STORAGE_FAILED",
            `The store failed: ${cause instanceof Error ? cause.message : String(cause)}`,
            {
              cause,
            },
          );
      this.#metrics.commitFailures.add();
      this.#logger.error({ code: error.code, writes: writes.length }, error.message);
      return error;
    }
  }

  /** A fault of whoever follows is no fault of the transaction. */
  #committed(writes: readonly StoreWrite[]): void {
    try {
      this.#onCommitted?.(writes);
    } catch (cause) {
      this.#logger.error({ error: cause }, "following a commit failed");
    }
  }

  #settle(batch: Batch, error: DaemonError | undefined): void {
    try {
      inLoop("delivery of committed entries", () => batch.settle(error));
      failpoint("delivered");
    } catch (cause) {
      this.#logger.error({ error: cause }, "delivering a committed batch failed");
    }
  }
}
