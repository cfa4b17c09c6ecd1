import type { Logger, SessionId } from "@daemon-sdk/protocol";
import type { SegmentRow, Store, StoreWrite } from "../storage/index.js";
import { pruneBefore, type RetentionLimits } from "./journal-retention.js";

/** Entries and characters stored between two looks at a journal, and the shortest time: looking costs a query. */
const LOOK_ENTRIES = 1_024;
const LOOK_CHARS = 1024 * 1024;
const LOOK_MS = 1_000;

/** Options of {@link JournalKeeper}. */
export interface JournalKeeperOptions {
  readonly sessionId: SessionId;
  readonly store: Store;
  readonly limits: RetentionLimits;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Watches how much of one journal is stored, and says when and where to prune it. */
export class JournalKeeper {
  readonly #options: JournalKeeperOptions;
  #entries = 0;
  #chars = 0;
  #lookedAt = 0;

  constructor(options: JournalKeeperOptions) {
    this.#options = options;
  }

  /** Takes note of what was stored; a promise of the write that prunes, when it is time to look. */
  stored(
    segments: readonly SegmentRow[],
    turnFirstSeq: number | undefined,
  ): Promise<StoreWrite | undefined> | undefined {
    for (const { frames } of segments) {
      this.#entries += frames.length;
      for (const frame of frames) this.#chars += frame.length;
    }
    const now = this.#options.now();
    const isDue = (this.#entries >= LOOK_ENTRIES || this.#chars >= LOOK_CHARS) && now - this.#lookedAt >= LOOK_MS;
    if (!isDue) return undefined;
    this.#entries = 0;
    this.#chars = 0;
    this.#lookedAt = now;
    return this.#look(turnFirstSeq);
  }

  async #look(turnFirstSeq: number | undefined): Promise<StoreWrite | undefined> {
    const { store, sessionId, limits, logger } = this.#options;
    try {
      const segments = await store.journalSegments(sessionId);
      const beforeSeq = pruneBefore({ segments, now: this.#options.now(), turnFirstSeq }, limits);
      return beforeSeq === undefined ? undefined : { kind: "pruneJournal", sessionId, beforeSeq };
    } catch (error) {
      logger.warn(
        { session: sessionId, error: String(error) },
        "could not look at a journal; it is not pruned this time",
      );
      return undefined;
    }
  }
}
