import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds of what the daemon accepts and answers: sockets, credentials, texts. No option changes them. */
export const SERVING_LIMITS = {
  /** Connections that wait to be accepted: enough for a burst of reconnecting clients; the system caps it. */
  backlog: 511,
  /** Idle time of a TCP connection before keep-alive probes. */
  tcpKeepAliveMs: 30_000,
  /** Close time-out of an unauthenticated peer: enough to send the close frame, not to wait for an answer. */
  strangerCloseMs: 100,
  /** Longest path of a unix socket: macOS accepts 103 bytes, and Node 20 truncates longer ones without an error. */
  socketPathBytes: 103,
  /** Shortest key in a configuration: a shorter one could be guessed. */
  apiKeyChars: 16,
  /** Most unused tickets of the person, and of one configured key. */
  tickets: 1_000,
  ticketsPerKey: 100,
  /** Tabs of the console that have a credential, and the time without use after which a credential ends: a working day. */
  tabs: 64,
  tabMs: 12 * 60 * 60 * 1_000,
  /** Time in which a request of the console has to be read and answered: files take longer than an upgrade over a forwarded port … */
  consoleAnswerMs: 30_000,
  /** … and the largest body of such a request: a ticket, words to search for, or a path and some labels. */
  consoleBodyBytes: 8 * 1_024,
  /** Time without a look at the fleet after which the console's connection to it is closed: it follows the registry. */
  consoleFleetIdleMs: 5 * 60_000,
  /** Most connections of one configured key. */
  connectionsPerKey: 256,
  /** Bytes that all connections of one key together have not read, above which the one with most of them is cut. */
  unreadBytesPerKey: 16 * 1024 * 1024,
  /** Longest name of a peer, in UTF-16 units: each log line contains it. */
  peerNameChars: 64,
  /** Longest text of an error, which may name a peer's input but not repeat all of it. */
  errorTextChars: 800,
  /** Sessions, requests or receipts in one answer: half a frame leaves room for everything beside them. */
  answerBytes: LIMITS.sessionFrameBytes / 2,
  /** Messages in one answer to `get_session_messages`, which holds at least one: making it holds the loop for some 2 ms. */
  pageBytes: 512 * 1024,
  /** Messages in one answer to `load_session`; the newest one may be larger alone. `get_session_messages` has older ones. */
  snapshotBytes: 2 * 1024 * 1024,
  newestBytes: 4 * 1024 * 1024,
  /** Messages and their bytes that a snapshot reads at a time: the loop serves others between two slices. */
  sliceMessages: 100,
  sliceBytes: 256 * 1024,
  /** Large messages of the person, and of one key, that arrive or are handled at a time. */
  largeMessages: 4,
  largeMessagesPerKey: 1,
  /** Prompts in one answer to `load_session` that are listed whole; of others their ids and their size. */
  listedPromptBytes: 1024 * 1024,
  /** Largest message that an answer holds; of a larger one the size is stated. */
  messageBytes: LIMITS.sessionFrameBytes - 256 * 1024,
  /** JSON of what an agent reports and answers repeat: its settings, its models. What is longer is not kept. */
  reportedJsonChars: 256 * 1024,
  /** Detail of an agent's error that is passed on, as JSON. */
  errorDetailChars: 64 * 1024,
  /** Messages of the person that are handled in one turn of the loop, and the time after which the share is used up … */
  personTurn: { messages: 64, ms: 4 },
  /** … the same of one configured key, and of all connections that have not authenticated. */
  keyTurn: { messages: 16, ms: 1 },
  /**
   * Work of one key that cannot be sliced and holds the loop for so long at a time is a debt, in ms. While the debt is larger than
   * `debtMs` and others are served, nothing more of the key is read; it shrinks by one ms in each `debtShare` ms, and is gone when
   * nobody else was served for `debtQuietMs`.
   */
  debtWorkMs: 3,
  debtMs: 15,
  /** … and no more is owed at a time: what waits for that waits some seconds. */
  debtMaxMs: 40,
  debtShare: 200,
  debtQuietMs: 1_000,
  /** Time between two looks whether a debt is small enough, or gone. */
  debtLookMs: 100,
  /** Characters of a commit from which on it may be such work: what an agent wrote was read and parsed before, which took as long. */
  debtCommitChars: 64 * 1024,
  /** Messages of one connection that wait for such a turn, and their UTF-16 units, above which its socket is not read. */
  inboundMessages: 256,
  inboundUnits: 1024 * 1024,
  /** Bytes of the relay's wire that are handled at once: some fifty frames of agents that talk. */
  inboundSliceBytes: 16 * 1024,
  /** Calls that read history: at work for one principal at a time … */
  readsAtOnce: 8,
  /** … and being made, each of which holds its messages parsed and as text. */
  readsMadeAtOnce: 2,
  /** … and waiting, with the UTF-16 units of their messages; the next one is refused. */
  readsWaiting: 1_024,
  readsWaitingUnits: 4 * 1024 * 1024,
  /** How long an answer that its client does not read counts as one at work. */
  readDrainMs: 10_000,
  /** Calls of the person, and of one key, that are not answered yet: UTF-16 units of their messages, and what each costs besides. */
  openCallUnits: 64 * 1024 * 1024,
  openCallUnitsPerKey: 4 * 1024 * 1024,
  openCallOverhead: 1024,
  /** Longest time that a call waits for an entry, or for the end of turns, and how many calls of one connection may wait. */
  waitMs: 60_000,
  waitingCalls: 10_000,
  /** Turns that are looked at together to find those of a page of entries. */
  turnsAtOnce: 32,
  /** Shortest time between two lines of the log about refusals of one principal. */
  refusalLogMs: 1_000,
  /** JSON of the params of a session that only its agent knows. */
  agentParamsChars: 256 * 1024,
  /** Variables that clients set for their sessions, of all sessions of one principal, in UTF-16 units: those of the oldest session go first. */
  sessionEnvChars: 16 * 1024 * 1024,
  /** Longest title from a session's first prompt, in UTF-16 units: what a list can show. */
  titleChars: 80,
  /** Longest time of a Node timer. */
  timerMs: 2 ** 31 - 1,
} as const;
