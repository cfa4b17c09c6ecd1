/** Defaults and bounds of the fleet, each with its reason. Durations in ms. */
export const FLEET_LIMITS = {
  /** Bytes of one NATS message of a link, the header not included. A sixteenth of the server's default `max_payload`, so that links share a connection fairly. */
  frameBytes: 64 * 1024,
  /** Bytes of one direction of a link that may be sent and not acknowledged: what a busy receiver has to hold, for each of its links. */
  windowBytes: 1024 * 1024,
  /** Interval of beats. A beat states how much was sent, so that a lost last message is noticed, too. */
  beatMs: 5_000,
  /** Beats without any message from the peer after which the link is ended. */
  missedBeats: 3,
  /** How long a machine may take to answer a dial. */
  dialTimeoutMs: 5_000,
  /** NATS: interval of pings to the server; its default of two minutes keeps a dead connection for that long. */
  pingIntervalMs: 5_000,
  /** NATS: pings without an answer after which the connection counts as lost. */
  pingsWithoutAnswer: 2,
  /** NATS: pause before the next attempt to connect … */
  reconnectWaitMs: 500,
  /** … and how much it varies, so that a fleet does not return to its server at once. */
  reconnectJitterMs: 500,
  /** Bytes of one entry of the registry. Readers keep the entries of all machines in memory. */
  entryBytes: 16 * 1024,
  /** Age at which a machine's entry is no sign of life any more. Longer than the election of a new leader of the cluster, which takes 7 to 8 s. */
  leaseMs: 15_000,
  /** Interval at which a machine renews its entry: two renewals may fail. */
  renewMs: 5_000,
  /** Interval at which a watch on the registry is compared with it. A dead watch is found after two of them: an entry that was renewed behind the election of a leader is seen before it counts as old. */
  watchCheckMs: 1_000,
  /** The same for names of the relay, which every machine watches: 10 000 machines ask 333 times a second. */
  namesCheckMs: 30_000,
  /** Interval at which a machine looks whether a silent predecessor's lease has ended. */
  lapseCheckMs: 1_000,
  /** How long an instance may take to say that it lives. */
  aliveTimeoutMs: 1_000,
  /** How long the machines may take to say whether they have a session. */
  findTimeoutMs: 1_000,
  /** How long one machine may take to answer its part of a call to all machines. */
  askTimeoutMs: 10_000,
  /** How many machines are asked at once. */
  asksAtOnce: 64,
  /** How long the stream keeps mail that nobody has stored: less than an outbox does, which is 7 days. */
  mailAgeMs: 6 * 24 * 60 * 60_000,
  /** How long the stream may take to keep a letter. */
  publishTimeoutMs: 5_000,
  /** Letters of the stream that are stored in one transaction, and read ahead. */
  lettersAtOnce: 256,
  /** Time in which what is stored is collected before it is removed from the stream. */
  purgeMs: 250,
  /** Pause before the stream, or the registry, is read again after a failure. */
  readAgainMs: 500,
  /** How long another machine may take to state what it has stored of the mail of this one. */
  askMailTimeoutMs: 2_000,
  /**
   * Age at which the server removes the entry of a session, and the mark of one that was removed: longer than a session rests that somebody
   * still calls by its id. An entry that is used is written again …
   */
  sessionsAgeMs: 400 * 24 * 60 * 60_000,
  /** … when it is so old. */
  renewSessionMs: 30 * 24 * 60 * 60_000,
  /** Age from which the entry of a session that does not exist is removed: a younger one may be of a session that is being made. */
  goneSessionMs: 60 * 60_000,
  /**
   * Age at which the server removes what was announced of a name, or that the name is gone: twice the 7 days for which mail for a
   * machine that is away waits.
   */
  namesAgeMs: 14 * 24 * 60 * 60_000,
  /** Interval at which a machine announces its names again: thirteen of them may fail. */
  renewNamesMs: 24 * 60 * 60_000,
  /** Time in which changes of names are collected before they are announced. */
  namesMs: 50,
  /** How long a machine may take for one step of a move. A step that waits for a turn has no bound. */
  moveTimeoutMs: 30_000,
  /** How often a move looks at the directory again, because the entry was another one than it should be. */
  moveRounds: 8,
  /** Entries of a journal in one message of a replica. */
  replicaEntries: 64,
  /** Bytes of one message of a replica, or of the server's `max_payload` where that is less. A larger entry is cut. */
  replicaBytes: 256 * 1024,
  /** Bytes of a message's head, and of what the server adds to it. */
  replicaHeadBytes: 1024,
  /** Time in which entries are collected before they are sent to the replica: what is lost with a machine, and how many messages there are. */
  replicaCollectMs: 100,
  /** Sessions of which a message is on its way to the replica at the same time. With the size of a message this bounds the bytes on their way. */
  replicaSessionsAtOnce: 8,
  /** Sessions that are known to have something to send. Beyond it all sessions are looked at again. */
  replicaChangedSessions: 16_384,
  /** How long the stream may take to keep a message of a replica. */
  replicaTimeoutMs: 5_000,
  /** Pause before a replica is continued after a failure: doubled each time … */
  replicaRetryMs: 500,
  /** … up to this. */
  replicaLongestRetryMs: 10_000,
  /** Bytes of a machine's replica on the servers, each copy: what is oldest makes room. */
  replicaMaxBytes: 1024 * 1024 * 1024,
  /** Age at which the server removes what is in a replica. */
  replicaAgeMs: 30 * 24 * 60 * 60_000,
  /** Share of its bytes from which on a stream counts as full: sessions that it has dropped are not sent again at a start. */
  replicaFullShare: 0.9,
  /** How long the server may be silent while a replica is read. */
  replicaReadMs: 10_000,
  /** Interval at which the server reports that it has nothing to deliver while a replica is read. */
  replicaBeatMs: 1_000,
  /** How long credentials are valid where nothing else is asked for: long enough to be renewed by hand, short enough to be renewed. */
  credentialsMs: 90 * 24 * 60 * 60_000,
  /** Sessions at work that a machine counts as full, where it names no capacity of its own. */
  capacity: 8,
} as const;
