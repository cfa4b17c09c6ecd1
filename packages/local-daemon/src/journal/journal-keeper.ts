import type { Logger, SessionId } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import type { SegmentRow, Store, StoreWrite } from "../storage/index.js";
import { type RetentionLimits, type RetentionQuestion, RetentionScan } from "./journal-retention.js";

/** What all keepers share. */
export interface JournalKeeperServices {
  readonly store: Store;
  readonly limits: RetentionLimits;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Counts how much of one journal is stored, and decides when and where to prune it. */
export class JournalKeeper {
  readonly #sessionId: SessionId;
  readonly #services: JournalKeeperServices;
  #entries = 0;
  #chars = 0;
  #nextLookAt = 0;
  #isLooking = false;
  /** Positions before which it is pruned next, ascending: what goes is dropped in pieces. */
  #cuts: number[] = [];

  constructor(sessionId: SessionId, services: JournalKeeperServices) {
    this.#sessionId = sessionId;
    this.#services = services;
  }

  /** Counts what was stored. Returns a promise of the write that prunes when a look is due, else undefined. */
  stored(
    segments: readonly SegmentRow[],
    turnFirstSeq: number | undefined,
  ): Promise<StoreWrite | undefined> | undefined {
    for (const { entries } of segments) {
      this.#entries += entries.length;
      for (const entry of entries) this.#chars += entry.length;
    }
    const now = this.#services.now();
    const isDue =
      (this.#entries >= JOURNAL_LIMITS.pruneLookEntries || this.#chars >= JOURNAL_LIMITS.pruneLookChars) &&
      now >= this.#nextLookAt;
    if (!isDue || this.#isLooking || this.#cuts.length > 0) return undefined;
    this.#entries = 0;
    this.#chars = 0;
    return this.#look(turnFirstSeq);
  }

  /** The next write that prunes, after one of them was stored; undefined when nothing is left to drop. */
  nextPrune(): StoreWrite | undefined {
    const beforeSeq = this.#cuts.shift();
    return beforeSeq === undefined ? undefined : { kind: "pruneJournal", sessionId: this.#sessionId, beforeSeq };
  }

  async #look(turnFirstSeq: number | undefined): Promise<StoreWrite | undefined> {
    const { now, logger } = this.#services;
    const [since, started] = [now(), performance.now()];
    this.#isLooking = true;
    try {
      this.#cuts = await this.#findCuts({ now: since, turnFirstSeq });
      return this.nextPrune();
    } catch (error) {
      logger.warn(
        { session: this.#sessionId, error: String(error) },
        "could not look at a journal; it is not pruned this time",
      );
      return undefined;
    } finally {
      const { pruneLookMs, pruneLookShare } = JOURNAL_LIMITS;
      this.#nextLookAt = since + Math.max(pruneLookMs, (performance.now() - started) * pruneLookShare);
      this.#isLooking = false;
    }
  }

  /**
   * The position before which the journal goes, and behind it, ascending, those at which that is cut into pieces. Reads the segments in
   * slices, newest first: a journal may have as many as its session has sent events.
   */
  async #findCuts(question: RetentionQuestion): Promise<number[]> {
    const { store, limits } = this.#services;
    const sessionId = this.#sessionId;
    const scan = new RetentionScan(question, limits);
    const cuts: number[] = [];
    let pieceBytes = 0;
    for (let from = Number.MAX_SAFE_INTEGER; ; ) {
      const segments = await store.journalSegments(sessionId, from, JOURNAL_LIMITS.pruneLookSegments);
      const oldest = segments.at(-1);
      if (oldest === undefined) return cuts;
      if (cuts.length === 0) {
        const beforeSeq = scan.take(segments);
        if (beforeSeq !== undefined) cuts.push(beforeSeq);
      }
      for (const { firstSeq, lastSeq, bytes } of segments) {
        if (lastSeq >= (cuts[0] ?? firstSeq)) continue;
        if (pieceBytes >= JOURNAL_LIMITS.pruneBytes) {
          cuts.unshift(lastSeq + 1);
          pieceBytes = 0;
        }
        pieceBytes += bytes;
      }
      from = oldest.firstSeq;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
