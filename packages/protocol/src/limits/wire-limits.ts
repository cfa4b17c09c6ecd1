/** Bounds and defaults that several packages know: of the wires, and of what a daemon promises on them. */
export const WIRE_LIMITS = {
  /** Largest frame of the relay wire, its header not counted. */
  relayFrameBytes: 1024 * 1024, // docs/wire/relay.md#frame-limits
  /** Intervals without any frame before a relay connection counts as dead. */
  relayMissedBeats: 6, // docs/wire/relay.md#heartbeat
  /** Shortest and longest credential of a process on the relay, in UTF-16 units: 128 random bits as text, or more. */
  relayCredentialUnits: [16, 256],
  /** Slab that relay frames are written into: a socket takes about as much in one write. */
  relaySlabBytes: 64 * 1024,
  /** Messages that one ACK or RECEIPT names at most. */
  relayBatchIds: 256,
  /** Largest line on an agent's stdout. Same as a session frame: whatever an agent says has to fit into one. */
  agentLineBytes: 16 * 1024 * 1024,
  /** Fragments of one WebSocket message; the library's default of 16 384 lets a flood of empty ones run for long. */
  webSocketFragments: 1_024,
  /** Bytes coalesced into one write before a flush inside the tick; nats.js settled on the same figure. */
  coalesceBytes: 32 * 1024,
  /** Refused credentials on one socket before it is closed. */
  authenticateAttempts: 3,
  /** Prompts waiting in one session; a client that sends faster than the agent works hears about it. */
  queuedTurns: 256,
  /** Life of a ticket that nobody has used: a page takes seconds to load. */
  ticketMs: 60_000,
  /** Messages in one question for receipts. */
  receiptsPerCall: 100,
  /** Page of `list_available_sessions` and its maximum. */
  sessionPage: 50, // docs/wire/session.md#session-lists
  sessionPageMax: 100,
  /** Page of `get_session_messages` and its maximum. */
  messagePage: 20, // docs/wire/session.md#session-calls
  messagePageMax: 100,
  /** Longest query of `search_sessions` in UTF-16 units, and its words: each is looked up in the index. */
  searchQueryChars: 1_000,
  searchWords: 32,
  /** Most sessions, hits in a session, and characters on each side of a place in one answer: together they fit into a frame. */
  searchSessionsMax: 100,
  searchHitsMax: 20,
  searchContextChars: 400,
} as const;
