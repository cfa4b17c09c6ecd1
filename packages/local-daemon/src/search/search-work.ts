import { SEARCH_LIMITS } from "../limits/index.js";
import { HitCollector } from "./hit-collector.js";
import type { OwnerNo, SearchIndex } from "./search-index.js";
import type { SearchQuery, SessionHits } from "./search-query.js";
import { matchExpression, termsOf } from "./search-terms.js";

/** What one search found; incomplete when its time was up. */
export interface Found {
  readonly sessions: readonly SessionHits[];
  readonly isIncomplete: boolean;
}

/**
 * One search, in steps of about `turnMs`: others have their turn between two of them, and none runs past `workMs`.
 *
 * Looks from the newest document to the oldest. The tables of each owner give as many sessions as were asked for; which of
 * them are the newest only the store knows.
 */
export function* searchWork(index: SearchIndex, query: SearchQuery): Generator<void, Found> {
  const terms = termsOf(query.query);
  if (terms.length === 0) return { sessions: [], isIncomplete: false };
  const clock = new WorkClock();
  const sessions: SessionHits[] = [];
  let isIncomplete = false;
  for (const owner of index.ownersFor(query.owner)) {
    const collector = new HitCollector(query, terms);
    isIncomplete =
      (yield* lookThrough({ index, owner, clock, collector, expression: matchExpression(terms) })) || isIncomplete;
    sessions.push(...collector.hits);
  }
  return { sessions, isIncomplete };
}

interface Look {
  readonly index: SearchIndex;
  readonly owner: OwnerNo;
  readonly clock: WorkClock;
  readonly collector: HitCollector;
  readonly expression: string;
}

/** Looks through the shards of one owner. Returns whether there was no time for all of them. */
function* lookThrough(look: Look): Generator<void, boolean> {
  const { index, owner, clock, collector, expression } = look;
  let further: number = SEARCH_LIMITS.furtherMessages;
  for (let shard = index.shardBelow(owner); shard !== undefined; shard = index.shardBelow(owner, shard)) {
    for (const doc of index.matches(owner, shard, expression)) {
      if (collector.isFull || further === 0) return false;
      if (collector.hasAllSessions) further -= 1;
      offer(look, doc);
      if (clock.isOver) return true;
      if (clock.isTurnOver) yield* clock.pause();
    }
    if (clock.isOver) return index.shardBelow(owner, shard) !== undefined;
    if (clock.isTurnOver) yield* clock.pause();
  }
  return false;
}

function offer({ index, owner, collector }: Look, doc: number): void {
  const sessionId = index.sessionOf(owner, doc);
  if (!collector.wants(sessionId)) return;
  for (const candidate of index.candidates(owner, doc)) collector.add(sessionId, candidate);
}

/** Counts the time in which one search works. */
class WorkClock {
  #turnStarted = performance.now();
  #worked = 0;

  get isTurnOver(): boolean {
    return this.#turn() >= SEARCH_LIMITS.turnMs;
  }

  get isOver(): boolean {
    return this.#worked + this.#turn() >= SEARCH_LIMITS.workMs;
  }

  *pause(): Generator<void, void> {
    this.#worked += this.#turn();
    yield;
    this.#turnStarted = performance.now();
  }

  #turn(): number {
    return performance.now() - this.#turnStarted;
  }
}
