import type { Logger } from "@daemon-sdk/protocol";
import type { KV, KvWatchEntry } from "@nats-io/kv";
import { FLEET_LIMITS } from "../limits/index.js";

/** Options of {@link BucketWatch}. */
export interface BucketWatchOptions {
  readonly bucket: Pick<KV, "status" | "watch">;
  /** Called for each entry, the removed ones too, in the order of their revisions; an entry may come twice. */
  readonly onEntry: (entry: KvWatchEntry) => void;
  readonly logger: Logger;
  /** Interval in ms at which a watch is compared with its bucket; default `FLEET_LIMITS.watchCheckMs`. */
  readonly checkMs?: number | undefined;
}

/** The client's watch. */
type ClientWatch = Awaited<ReturnType<KV["watch"]>>;

/**
 * Follows the entries of a bucket until it is stopped.
 *
 * A watch of the client is a consumer that one server of the cluster keeps. When that server dies, the client may take a minute to
 * replace it. So this one compares: the bucket tells its last revision, and a watch that has not told it by the next time is opened
 * anew behind the last entry that came. What holds for a watch that is late holds for one that ended.
 */
export class BucketWatch {
  readonly #options: BucketWatchOptions;
  #watch: ClientWatch | undefined;
  /** Revision of the last entry that came. */
  #seen = 0;
  /** What {@link #seen} was at the last comparison … */
  #seenThen = 0;
  /** … and what the bucket's last revision was: its entry has come by the next one, or the watch is late. */
  #due = 0;
  #hasEnded = false;
  #isChecking = false;
  #isStopped = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #markRead = () => {};

  /** Resolves when the entries that the bucket had at the opening have come, or the watch is stopped. */
  readonly hasRead = new Promise<void>((resolve) => {
    this.#markRead = resolve;
  });

  private constructor(options: BucketWatchOptions) {
    this.#options = options;
  }

  /** Opens a watch on all entries of a bucket. Rejects with the client's error. */
  static async open(options: BucketWatchOptions): Promise<BucketWatch> {
    const opened = new BucketWatch(options);
    try {
      await opened.#follow();
      await opened.#compare();
    } catch (error) {
      opened.stop();
      throw error;
    }
    opened.#timer = setInterval(() => void opened.#check(), options.checkMs ?? FLEET_LIMITS.watchCheckMs);
    return opened;
  }

  /** No entry comes any more. Stopping twice is fine. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#watch?.stop();
    this.#markRead();
  }

  async #check(): Promise<void> {
    if (this.#isChecking || this.#isStopped) return;
    this.#isChecking = true;
    try {
      await this.#compare();
    } catch (error) {
      this.#options.logger.debug({ error: String(error) }, "the registry did not tell its last entry; asked again");
    } finally {
      this.#isChecking = false;
    }
  }

  /** Entries are removed by their age only, so the last one exists for as long as there is any. */
  async #compare(): Promise<void> {
    const { values, streamInfo } = await this.#options.bucket.status();
    const last = streamInfo.state.last_seq;
    // A bucket that was made anew, or lost what it had not yet written to its disk, counts from less.
    if (last < this.#seenThen) this.#seen = 0;
    const isLate = values > 0 && this.#seen < this.#due;
    if (isLate || this.#hasEnded) {
      this.#options.logger.info({ seen: this.#seen, last }, "a watch on the registry is late, and is opened anew");
      await this.#follow();
    }
    if (values === 0) this.#markRead();
    this.#due = values === 0 ? 0 : last;
    this.#seenThen = this.#seen;
  }

  async #follow(): Promise<void> {
    const watch = await this.#options.bucket.watch(this.#seen > 0 ? { resumeFromRevision: this.#seen + 1 } : {});
    this.#watch?.stop();
    this.#watch = watch;
    this.#hasEnded = false;
    if (this.#isStopped) watch.stop();
    void this.#read(watch);
  }

  async #read(watch: ClientWatch): Promise<void> {
    try {
      for await (const entry of watch) {
        if (watch !== this.#watch) return;
        this.#seen = entry.revision;
        this.#options.onEntry(entry);
        if (entry.isUpdate || entry.delta === 0) this.#markRead();
      }
    } catch (error) {
      this.#options.logger.warn({ error: String(error) }, "a watch on the registry failed, and is opened anew");
    }
    if (watch === this.#watch) this.#hasEnded = true;
  }
}
