/** Bounds and defaults of the daemon alone. */
export const DAEMON_LIMITS = {
  /** Time between two PINGs of a relay connection. */
  relayHeartbeatMs: 5_000, // docs/wire/relay.md#heartbeat
  /** An agent that got a message may be too busy to answer pings for this long. */
  relayProcessingMs: 30_000, // docs/wire/relay.md#heartbeat
  /** SENDs per second and sender that are taken for long: about a fifth of what a daemon can store. */
  relaySendsPerSecond: 10_000,
  /** … and at once: a burst that the recipient's mailbox would refuse anyway. */
  relaySendBurst: 20_000,
  /** Unacknowledged messages in one mailbox; past it the sender hears BUSY. */
  mailboxEntries: 20_000,
  /** Their bytes. */
  mailboxBytes: 64 * 1024 * 1024,
  /** An unacknowledged message older than this is dropped: the original keeps messages for 7 days. */
  mailboxAgeMs: 7 * 24 * 60 * 60_000, // docs/wire/relay.md#storage
  /** Acknowledged messages of one mailbox that are kept for INBOX and other queries. */
  mailboxHistory: 1_000, // docs/wire/relay.md#queries
  /** Wait for the ACK of a blocking SEND that names no time. */
  relayAckTimeoutMs: 30_000, // docs/wire/relay.md#blocking-sends
  /** Blocking SENDs that wait at a time, of all connections together. */
  relayBlockingSends: 10_000,
  /** A user that left is reachable for this long: a page that is loaded again comes back within it. */
  relayRecentUserMs: 300_000, // docs/wire/relay.md#direct-messages

  /** Bytes waiting for one client in the daemon, above which its cursors pause. */
  connectionBufferBytes: 4 * 1024 * 1024,
  /** How long a client may leave that buffer full before it is closed as SLOW_CONSUMER. */
  slowConsumerMs: 10_000,
  /** Silence on a TCP connection after which the system asks whether the peer is there. */
  tcpKeepAliveMs: 30_000,
  /** Accept to authenticated; one timer of our own, because Node's header check does not run on a server fed by hand. */
  authenticateMs: 2_000,
  /** Close of a peer that has not authenticated: time for its close frame to leave, and no more for an answer. */
  strangerCloseMs: 100,
  /** Sockets that have not authenticated; past it the oldest silent one is cut. */
  unauthenticatedSockets: 256,

  /** Entries in one stored segment of a journal: ≈ 30 µs a segment of 64, ≈ 10 µs an entry alone. */
  journalSegmentEntries: 64,
  /** Stored segments that no index names yet: a start after a crash looks through them, ≈ 2 µs each. */
  journalFreshRows: 32_768,
  /** The same of mailboxes: who reads one looks through all of them, ≈ 15 µs. */
  mailboxFreshRows: 256,
  /** Entries younger than this stay, whatever their number: a client that lost its socket comes back within it. */
  journalKeepMs: 120_000,
  /** … up to this many bytes. */
  journalKeepBytes: 64 * 1024 * 1024,
  /** Older entries stay within this count … */
  journalOldEntries: 10_000,
  /** … and within these bytes. */
  journalOldBytes: 8 * 1024 * 1024,
  /** What the store's write-ahead log holds when it is emptied into the file, where nothing reads. */
  storeCheckpointBytes: 4 * 1024 * 1024,
  /** What may stay of the log once it was emptied. */
  storeWalBytes: 64 * 1024 * 1024,
  /** Size past which the daemon's log is put aside, beside the one before it. */
  logBytes: 16 * 1024 * 1024,
  /** Agent output waiting for the store above which the agent's pipe is paused. */
  storeBacklogBytes: 1024 * 1024,

  /** Agent told to end by the end of its stdin; after this long it gets SIGTERM … */
  agentStdinGraceMs: 2_000,
  /** … and after this long SIGKILL: `droid exec` ignores SIGTERM in mid-turn. */
  agentTermGraceMs: 2_000, // docs/wire/agent-stdio.md#oddities
  /** After an agent's death, for the rest of its output: only a descendant that got away holds the pipe longer. */
  agentDrainMs: 1_000,
  /** An agent told to end its turn that has not done so by then is stopped: a turn never hangs. */
  agentInterruptMs: 10_000,
  /** Time for an agent's first reply; `droid exec` takes 0.2–0.4 s. */
  agentStartMs: 30_000,
  /** Bytes of an agent's stderr kept for the error that tells why it died. */
  agentStderrBytes: 64 * 1024,
  /** Starts of one session's agent within `agentRestartWindowMs` before it counts as unstable. */
  agentRestarts: 5,
  agentRestartWindowMs: 10_000,
  /** An agent without a turn and without a client is stopped after this long; the session stays and starts it again. */
  agentInactivityMs: 15 * 60_000,

  /** Time between two looks for sessions that nobody uses. */
  sessionSweepMs: 5_000,
  /** Sessions open in the daemon at a time (each may hold a process). */
  openSessions: 20_000,

  /** Agents that SPAWN may have running at a time: what the original takes. */
  relayWorkers: 10_000, // docs/wire/relay.md#spawning
  /** Messages in one answer to INBOX or MESSAGES_QUERY; the original never holds more than its newest 1000 in memory. */
  relayQueryMessages: 1_000,
  /** Channels that one name may be in, so that nobody fills the daemon's memory by joining. */
  relayChannelsPerName: 1_000,
  /** Longest name of a channel, in UTF-16 units. */
  relayChannelNameUnits: 256,

  /** Longest path of a unix socket: macOS takes 103 bytes, and Node 20 cuts longer ones in silence. */
  socketPathBytes: 103,
  /** Tickets that wait to be used. */
  tickets: 1_000,

  /** Start of the local daemon to its first answer, as `ensureLocalDaemon` waits for it. */
  daemonStartMs: 30_000,
  /** Time for a local daemon to prove that it is there; one that needs longer is as good as gone. */
  daemonProbeMs: 2_000, // docs/wire/session.md#local-daemon
  /** Pause between looks for a daemon that starts: an eighth of the time waited so far, within these. A start takes about 80 ms. */
  daemonPollMs: 4,
  daemonPollMaxMs: 100,
  /** Start of a daemon that others wait for before one of them starts another: its launcher may have been killed. */
  daemonLaunchTurnMs: 1_000,
  /** Wait for the lock of a state directory: long enough when two starters each hold half of it, short enough to tell an owner. */
  instanceLockMs: 250,
  /** How often the daemon looks whether its socket is still there: one that nobody can reach any more ends itself. */
  daemonReachableCheckMs: 10_000,
  /** Starts of a plain daemon before giving up, each after the first on another port. */
  daemonStartAttempts: 3, // docs/wire/session.md#local-daemon
  /** Time for a drain when the daemon stops: running turns may finish, then they are interrupted. */
  drainMs: 5_000,
} as const;
