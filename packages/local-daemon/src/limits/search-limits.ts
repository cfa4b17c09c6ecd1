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
  /** Characters of one text that a search finds; past it a tool's output costs more to index than it is worth. */
  indexedChars: 64 * 1024,
  /** Longest token, in UTF-16 units: a word is shorter, and what is longer (base64, hashes) is found by its beginning. */
  tokenChars: 64,
  /** Inner words of an identifier: what has more is encoded data. */
  identifierWords: 8,
  /** Folded letters that a thread remembers. */
  rememberedLetters: 8_192,
  /** Snippets of one hit. */
  snippets: 3,
  /** Documents of one shard of the index: a statement looks through one shard, and cannot be stopped. */
  shardDocuments: 1_024,
  /** Messages that are read at a time from a store without a feed. */
  scannedMessages: 100,
  /** Heap of the worker. */
  workerHeapMb: 256,
  /** Time for the worker to close its file before it is stopped. */
  closeMs: 2_000,
} as const;
