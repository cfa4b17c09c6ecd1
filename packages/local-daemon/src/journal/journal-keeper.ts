import type { Logger, SessionId } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";
import { BACKGROUND } from "../loop/index.js";
import type { SegmentInfo, SegmentRow, Store, StoreWrite } from "../storage/index.js";
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
  #isStopped = false;
  /** What the last look took of the loop. */
  #lookMs = 0;
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

  /** Reads nothing more: the journal's session is closed, and its store may be soon. */
  stop(): void {
    this.#isStopped = true;
  }

  async #look(turnFirstSeq: number | undefined): Promise<StoreWrite | undefined> {
    const { now, logger } = this.#services;
    const since = now();
    this.#lookMs = 0;
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
      this.#nextLookAt = since + Math.max(pruneLookMs, this.#lookMs * pruneLookShare);
      this.#isLooking = false;
    }
  }

  /** The position before which the journal goes, and behind it, ascending, those at which that is cut into pieces. */
  async #findCuts(question: RetentionQuestion): Promise<number[]> {
    const scan = new RetentionScan(question, this.#services.limits);
    const cuts: number[] = [];
    let pieceBytes = 0;
    for await (const segments of this.#segments()) {
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
    }
    return cuts;
  }

  /** All segments, newest first, within slices of the loop: a journal may have as many as its session has sent events. */
  async *#segments(): AsyncGenerator<readonly SegmentInfo[]> {
    let sliceMs: number = Number.POSITIVE_INFINITY;
    for (let from = Number.MAX_SAFE_INTEGER; ; ) {
      if (sliceMs >= JOURNAL_LIMITS.pruneLookSliceMs) {
        await BACKGROUND.next();
        if (this.#isStopped) return;
        sliceMs = 0;
      }
      const begun = performance.now();
      const limit = JOURNAL_LIMITS.pruneLookSegments;
      const segments = await this.#services.store.journalSegments(this.#sessionId, from, limit);
      const oldest = segments.at(-1);
      if (oldest === undefined) return;
      yield segments;
      from = oldest.firstSeq;
      const ms = performance.now() - begun;
      sliceMs += ms;
      this.#lookMs += ms;
    }
  }
}
