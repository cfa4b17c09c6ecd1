/** Bounds and defaults that several packages use: those of the wires, and what a daemon promises on them. */
export const WIRE_LIMITS = {
  /** Largest frame of the relay wire, its header not counted. */
  relayFrameBytes: 1024 * 1024, // docs/wire/relay.md#frame-limits
  /** Intervals without any frame before a relay connection counts as dead. */
  relayMissedBeats: 6, // docs/wire/relay.md#heartbeat
  /** Shortest and longest credential of a process on the relay, in UTF-16 units: 128 random bits as text, or more. */
  relayCredentialUnits: [16, 256],
  /** Size of the slab for relay frames: about what a socket accepts in one write. */
  relaySlabBytes: 64 * 1024,
  /** Most messages in one ACK or RECEIPT. */
  relayBatchIds: 256,
  /** Largest line on an agent's stdout. The same as a session frame, because a line becomes one. */
  agentLineBytes: 16 * 1024 * 1024,
  /** A message above this is taken in parts while it arrives: one below costs the event loop some 1 ms. */
  largeMessageBytes: 256 * 1024,
  /** Largest call of a client that is no prompt … */
  callBytes: 2 * 1024 * 1024,
  /** … and the largest one that holds a document or many paths. */
  documentCallBytes: 8 * 1024 * 1024,
  /** What counts of a long text where a large prompt is measured without its texts … */
  outlineTextBytes: 4 * 1024,
  /** … and all that counts: a thousand images and a thousand files, each with so much of its text. */
  outlineBytes: 8 * 1024 * 1024,
  /** Most fragments of one WebSocket message. With the library's default of 16 384, a flood of empty fragments takes long to refuse. */
  webSocketFragments: 1_024,
  /** Bytes coalesced into one write before a flush inside the tick. nats.js uses the same figure. */
  coalesceBytes: 32 * 1024,
  /** What may wait at one end of two joined links: what a daemon buffers for a client by default, and one message more. */
  joinedWaitingBytes: 20 * 1024 * 1024,
  /** Refused credentials on one socket before it is closed. */
  authenticateAttempts: 3,
  /** Most queued prompts of one session. A further one is refused with QUEUE_FULL. */
  queuedTurns: 256,
  /** Life of an unused ticket: a page needs seconds to load. */
  ticketMs: 60_000,
  /** Most messages in one `get_receipts`. */
  receiptsPerCall: 100,
  /** Page of `list_available_sessions` and its maximum. */
  sessionPage: 50, // docs/wire/session.md#session-lists
  sessionPageMax: 100,
  /** Page of `get_session_messages` and its maximum. */
  messagePage: 20, // docs/wire/session.md#session-calls
  messagePageMax: 100,
  /** Most words of a query of `search_sessions`: each word is looked up in the index. */
  searchWords: 32,
  /** Most sessions, hits per session, and characters on each side of a hit in one answer. Together they fit into a frame. */
  searchSessionsMax: 100,
  searchHitsMax: 20,
  searchContextChars: 400,
} as const;
