/** Bounds of what a replica reads of the store, each with its reason. */
export const REPLICA_LIMITS = {
  /** Sessions that are read at once: the store is read between them by others, too. */
  sessionsAtOnce: 64,
  /** Messages, and bytes of them, of one part of a conversation. */
  messagesAtOnce: 64,
  messageBytes: 128 * 1024,
  /** Segments that are counted to state how far a replica is behind; what lies further back counts by its entries only. */
  countedSegments: 1024,
} as const;
