/** Bounds and times of the search; no option changes them. What a query may hold is in `LIMITS`: clients have to know it. */
export const SEARCH_LIMITS = {
  /** Searches of one principal that wait for its running one; the next one is refused. */
  waitingPerPrincipal: 8,
  /** Time that one search may work. What it found by then is its answer, marked as incomplete. */
  workMs: 2_000,
  /** Time that it works before others have their turn. */
  turnMs: 10,
  /** A search waits for messages that were committed before it to be indexed, but no longer than this. */
  freshMs: 500,
  /** Time after which a worker that does not answer is replaced. Work for others may come before. */
  replyMs: 20_000,
  /** Pause between a changed message and its indexing where nobody searches: one turn changes several. */
  indexDelayMs: 1_000,
  /** Pause between two slices of an index that is built anew: the loop reads the messages for it. */
  rebuildPauseMs: 2,
  /** Pause after the index could not be written. */
  retryMs: 30_000,
  /** Messages that are looked at for further hits once enough sessions were found. */
  furtherMessages: 2_000,
  /** Heap of the worker. */
  workerHeapMb: 256,
  /** Time for the worker to close its file before it is stopped. */
  closeMs: 2_000,
} as const;
