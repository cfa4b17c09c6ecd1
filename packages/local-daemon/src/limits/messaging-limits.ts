/** Bounds and times of the relay's names and handlers; no option changes them. The configurable ones are in `RelayLimits`. */
export const MESSAGING_LIMITS = {
  /** Longest name, in UTF-16 units (docs/wire/relay.md#queries). */
  nameChars: 128,
  /** Sessions of one name that can be resumed: those of a user's pages, or of an agent's last starts. */
  resumableSessions: 8,
  /** Longest texts about the sender of a HELLO, in UTF-16 units: more is cut. A directory is as long as a path may be. */
  helloUnits: {
    cli: 256,
    program: 256,
    model: 256,
    task: 1_024,
    workingDirectory: 4_096,
    team: 256,
    displayName: 256,
    avatarUrl: 2_048,
  },
  /** Peers that a relay or a channel may have for each of them to be notified unasked of who comes: n of them cost n² frames. */
  presencePeers: 100,
  /** Time in which the events of presence are collected for a frame. */
  presenceMs: 50,
  /** Topics of one name. */
  topicsPerName: 1_000,
  /** Subscriptions of all names to topics: they outlive their connections. */
  topicSubscriptions: 100_000,
  /** Longest topic, in UTF-16 units: a name, and what stands before it. */
  topicUnits: 256,
  /** Channels that one name may be in: the daemon's memory has a bound. */
  channelsPerName: 1_000,
  /** Memberships of all channels but `#general`: a name may be added to a channel before it has ever connected. */
  channelMembers: 100_000,
  /** Longest name of a channel, in UTF-16 units. */
  channelNameUnits: 256,
  /** Most spawned agents at a time, as in the original (docs/wire/relay.md#spawning). */
  workers: 10_000,
  /** Messages in one answer to INBOX or MESSAGES_QUERY; the original never holds more than its newest 1000 in memory. */
  queryMessages: 1_000,
  /** INBOX and MESSAGES_QUERY that are answered at a time, one of each connection: each holds about two frames in memory. */
  runningQueries: 4,
  /** Those of one connection that may wait. */
  waitingQueries: 64,
  /** Pause after which a sender may retry, when too many blocking SENDs wait. */
  blockingRetryMs: 1_000,
  /** Messages in the answer to INBOX and to MESSAGES_QUERY that name no limit, as in the original (docs/wire/relay.md#queries). */
  inboxMessages: 50,
  queriedMessages: 100,
  /** How long STATUS waits for the store's answer. */
  storeCheckMs: 1_000,
  /** Memory of an agent that causes a warning, and that is critical (docs/wire/relay.md#settings). */
  warningBytes: 512 * 1024 * 1024,
  criticalBytes: 1024 * 1024 * 1024,
  /** Prompts of a stdio agent that are tracked until their ACK is stored, so that a redelivery is no second prompt. */
  rememberedPrompts: 1_024,
} as const;
