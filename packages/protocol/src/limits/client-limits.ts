/** Bounds and defaults that a page needs as well: a bundle of the client holds these, and not the daemon's. */
export const CLIENT_LIMITS = {
  /** Largest message of the session wire, in bytes of UTF-8: what a real daemon takes before it cuts the socket. */
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
  /** Answered server requests whose ids one engine remembers, so that none is answered twice. */
  answeredRequests: 4_096,
  /** Bytes waiting in one transport above which `send` returns false. Enough to keep a loopback socket busy for a tick. */
  transportHighWaterBytes: 1024 * 1024,
  /** Polite close: how long the peer may take to answer before the socket is destroyed. */
  closeTimeoutMs: 2_000, // docs/wire/session.md#open-connection
  /**
   * … and how long a client that closes waits for that answer: a close frame has left and come back by then wherever the peer is near,
   * and nobody waits for one that is gone. `closeTimeoutMs` after that is only for bytes that have not left yet.
   */
  closeGraceMs: 50,
  /** Credit of one session: events … */
  creditEvents: 256,
  /** … and bytes of their frames that may be on their way to, or wait in, a client (docs/protocol.md, "Credit"). */
  creditBytes: 1024 * 1024,
  /** A session that works and says nothing for this long counts as `stalled`. */
  stalledMs: 60_000,
  /** Nothing heard on a connection for this long: the client asks with `ping` … */
  pingIntervalMs: 15_000,
  /** … and takes the connection for lost when nothing comes within this. */
  pingTimeoutMs: 10_000,
  /** Pauses before a lost connection is made anew, the last one for ever; the first two ± 20 %, later ones × 0.5 to 1.5, so that many clients do not come at once. */
  reconnectDelaysMs: [10, 50, 100, 200, 500, 1_000, 2_000, 5_000],
  /** How long a client tries to come back before it gives up: a laptop that was carried from one net to another, a daemon that is updated. */
  reconnectBudgetMs: 5 * 60_000,
  /** How often one call is made again on a new link: one whose links all break must not go on for ever. */
  callRepeats: 100,
  /** How many starts of the daemon one call may be lost with: it may be what kills it. */
  callDaemons: 10,
  /** Bytes of undelivered events held for one stream in the client before it fails as SLOW_CONSUMER. */
  streamBufferBytes: 64 * 1024 * 1024,
} as const;
