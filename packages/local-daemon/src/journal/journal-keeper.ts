import type { Logger, SessionId } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import type { SegmentRow, Store, StoreWrite } from "../storage/index.js";
import { pruneBefore, type RetentionLimits } from "./journal-retention.js";

/** Options of {@link JournalKeeper}. */
export interface JournalKeeperOptions {
  readonly sessionId: SessionId;
  readonly store: Store;
  readonly limits: RetentionLimits;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Counts how much of one journal is stored, and decides when and where to prune it. */
export class JournalKeeper {
  readonly #options: JournalKeeperOptions;
  #entries = 0;
  #chars = 0;
  #lookedAt = 0;

  constructor(options: JournalKeeperOptions) {
    this.#options = options;
  }

  /** Counts what was stored. Returns a promise of the write that prunes when a look is due, else undefined. */
  stored(
    segments: readonly SegmentRow[],
    turnFirstSeq: number | undefined,
  ): Promise<StoreWrite | undefined> | undefined {
    for (const { frames } of segments) {
      this.#entries += frames.length;
      for (const frame of frames) this.#chars += frame.length;
    }
    const now = this.#options.now();
    const isDue =
      (this.#entries >= JOURNAL_LIMITS.pruneLookEntries || this.#chars >= JOURNAL_LIMITS.pruneLookChars) &&
      now - this.#lookedAt >= JOURNAL_LIMITS.pruneLookMs;
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
