/** Bounds and defaults that a page needs as well: a bundle of the client holds these, and not the daemon's. */
export const CLIENT_LIMITS = {
  /** Largest message of the session wire, in bytes of UTF-8. A real daemon closes the socket at a larger one. */
  sessionFrameBytes: 16 * 1024 * 1024, // docs/wire/agent-stdio.md#handshake-of-the-daemon
  /** Deepest JSON nesting accepted from a peer. `JSON.parse` itself takes a million levels; code after it recurses. */
  jsonDepth: 64,
  /** Longest frame that is parsed although it is too deep, so that the refusal can name its id. */
  deepFrameParseBytes: 64 * 1024,
  /** Time for a request without a time-out of its own. */
  requestTimeoutMs: 30_000, // docs/wire/session.md#time-outs
  /** `initialize_session`, `load_session`: an agent process may have to start first. */
  sessionStartTimeoutMs: 60_000, // docs/wire/session.md#time-outs
  /** `compact_session`: a model call over the whole conversation. */
  compactTimeoutMs: 240_000, // docs/wire/session.md#time-outs
  /** `authenticate_mcp_server`: a person logs in in a browser. */
  mcpAuthTimeoutMs: 300_000, // docs/wire/session.md#time-outs
  /** Pause before connect and authenticate are repeated as a whole (`maxRetries`). */
  connectRetryMs: 2_000, // docs/wire/session.md#connect-and-retry
  /** How many ids of answered server requests one engine stores, so that no request is answered twice. */
  answeredRequests: 4_096,
  /** Bytes waiting in one transport above which `send` returns false. Enough to keep a loopback socket busy for a tick. */
  transportHighWaterBytes: 1024 * 1024,
  /** Polite close: how long the peer may take to answer before the socket is destroyed. */
  closeTimeoutMs: 2_000, // docs/wire/session.md#open-connection
  /**
   * … and how long a closing client waits for the peer's close frame. That is enough for a near peer, and short for a dead one.
   * The longer `closeTimeoutMs` applies only while bytes wait to be written.
   */
  closeGraceMs: 50,
  /** Credit of one session: events, as many as a daemon makes in some ms, so that a reader that keeps up is never waited for … */
  creditEvents: 1_024,
  /** … and bytes of their frames, in flight or buffered in the client (docs/protocol.md, "Credit"). */
  creditBytes: 1024 * 1024,
  /** A session at work without an event for this long counts as `stalled`. */
  stalledMs: 60_000,
  /** After this long without a frame on a connection, the client sends `ping` … */
  pingIntervalMs: 15_000,
  /** … and treats the connection as lost if no frame arrives within this time. */
  pingTimeoutMs: 10_000,
  /** Delays before attempts to reconnect; the last one repeats. The first two ± 20 %, later ones × 0.5 to 1.5, so that many clients do not reconnect at once. */
  reconnectDelaysMs: [10, 50, 100, 200, 500, 1_000, 2_000, 5_000],
  /** How long a client tries to reconnect: enough for a laptop that changes its network, or a daemon that is updated. */
  reconnectBudgetMs: 5 * 60_000,
  /** How often one call is repeated on a new link. Bounded, because each link may break. */
  callRepeats: 100,
  /** How many starts of the daemon one call is repeated for. Bounded, because the call itself may kill the daemon. */
  callDaemons: 10,
  /** Bytes of unread events that the client buffers for one stream before the stream fails with SLOW_CONSUMER. */
  streamBufferBytes: 64 * 1024 * 1024,
} as const;
