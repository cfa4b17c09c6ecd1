/** Bounds and times of mailboxes; no option changes them. The configurable ones are in `RelayLimits`. */
export const MAILBOX_LIMITS = {
  /** Messages for another machine that were stored within this time have one age: in seconds it is as exact as its readers need. */
  ageMarkMs: 1_000,
  /** Ages that are known of one outbox; of one that fills for days each stands for hours. */
  ageMarks: 64,
  /** Entries and UTF-16 units of a stored segment: a reader that needs one entry reads no more than a segment. */
  segmentEntries: 128,
  segmentUnits: 256 * 1024,
  /** Bytes that one read takes from the store, at least one segment. */
  readPageBytes: 256 * 1024,
  /** Most segments that one read of a query takes from the store … */
  querySegments: 128,
  /** … as long as that takes no longer than this. */
  queryPageMs: 5,
  /** Longest time from an ACK to its transaction. An ACK counts if it was read 50 ms before the daemon is killed. */
  saveMs: 10,
  /** Time from the first delivery to each redelivery without an ACK, then between two of them. */
  redeliveryMs: [5_000, 10_000, 20_000, 40_000],
  laterRedeliveryMs: 60_000,
  /** Time between two checks for due redeliveries: a redelivery is at most this late. */
  redeliveryCheckMs: 1_000,
  /** Time between two checks for messages past their age, which is in days. */
  expiryCheckMs: 60 * 60_000,
  /** Part of the bytes left for all mailboxes that one of them may hold. */
  shareOfLeft: 1 / 8,
  /** Parts in which the bytes of the history are counted; the oldest part is dropped as one. */
  historyParts: 16,
  /** Pause after which a sender may retry a full mailbox. */
  fullRetryMs: 1_000,
} as const;
