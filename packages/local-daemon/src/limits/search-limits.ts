/** Bounds and times of the search; no option changes them. Bounds of a query are in `LIMITS`, because clients need them. */
export const SEARCH_LIMITS = {
  /** Most queued searches of one principal; a further one is refused. */
  waitingPerPrincipal: 8,
  /** Time of one search. After it the hits so far are returned, marked as incomplete. */
  workMs: 2_000,
  /** Time slice of one search before others run. */
  turnMs: 10,
  /** A search waits for messages that were committed before it to be indexed, but no longer than this. */
  freshMs: 500,
  /** Time after which a worker that does not answer is replaced. Includes the time of earlier work. */
  replyMs: 20_000,
  /** Pause between a changed message and its indexing without a search: one turn changes several messages. */
  indexDelayMs: 1_000,
  /** Pause between two slices of a new index, whose messages the event loop reads. */
  rebuildPauseMs: 2,
  /** Pause after a failed write of the index. */
  retryMs: 30_000,
  /** Messages that are checked for further hits once enough sessions were found. */
  furtherMessages: 2_000,
  /** Indexed characters of one text. Bounded, because a tool's output may be long and is rarely searched. */
  indexedChars: 64 * 1024,
  /** Longest token, in UTF-16 units: a word is shorter, and what is longer (base64, hashes) is found by its beginning. */
  tokenChars: 64,
  /** Inner words of an identifier: what has more is encoded data. */
  identifierWords: 8,
  /** Folded letters in a thread's cache. */
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
