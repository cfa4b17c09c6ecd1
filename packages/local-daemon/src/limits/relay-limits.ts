import { LIMITS } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "./agent-limits.js";

/** Bounds and times of the relay that a configuration may change. */
export interface RelayLimits {
  /** Largest frame, its header not counted. */
  readonly relayFrameBytes: number;
  /** Longest time from accept to HELLO. */
  readonly relayHandshakeMs: number;
  /** Time between two PINGs of a connection. */
  readonly relayHeartbeatMs: number;
  /** Intervals without a frame before a connection counts as dead. */
  readonly relayMissedBeats: number;
  /** A name that got a message may be too busy to answer pings for this long. */
  readonly relayProcessingMs: number;
  /** Sustained SENDs per second and sender: about a fifth of what a daemon can store … */
  readonly relaySendsPerSecond: number;
  /** … and the largest burst: more the recipient's mailbox would refuse anyway. */
  readonly relaySendBurst: number;
  /** Most unacknowledged messages in one mailbox; over it the sender gets BUSY. */
  readonly mailboxEntries: number;
  /** Most bytes of the unacknowledged messages in one mailbox. */
  readonly mailboxBytes: number;
  /**
   * Most bytes of the unacknowledged messages of all mailboxes. One mailbox may hold at most an eighth of what is left, so that
   * a sender that fills many mailboxes leaves room for others.
   */
  readonly mailboxTotalBytes: number;
  /** An unacknowledged message older than this is dropped: the original keeps messages for 7 days. */
  readonly mailboxAgeMs: number;
  /** Most acknowledged messages of one mailbox that are kept for queries … */
  readonly mailboxHistory: number;
  /** … and most bytes of those of all mailboxes. */
  readonly mailboxHistoryBytes: number;
  /** Default time-out of a blocking SEND. */
  readonly relayAckTimeoutMs: number;
  /** Most waiting blocking SENDs of all connections. */
  readonly relayBlockingSends: number;
  /**
   * Most names that the person, and all programs that have proven nothing, may have, connected or not; over it what is not needed is
   * forgotten, oldest first …
   */
  readonly relayNames: number;
  /** … and the UTF-16 units of what is stored of those names: HELLO may state thousands. */
  readonly relayNamesUnits: number;
  /**
   * How long a disconnected user stays reachable, and every name is kept: a reloaded page reconnects within this time.
   */
  readonly relayRecentUserMs: number;
  /** How long a spawned program may take to connect. */
  readonly relaySpawnMs: number;
}

/** The defaults. */
export const RELAY_LIMITS: RelayLimits = {
  relayFrameBytes: LIMITS.relayFrameBytes,
  // As long as a client may take to authenticate.
  relayHandshakeMs: 2_000,
  relayHeartbeatMs: 5_000, // docs/wire/relay.md#heartbeat
  relayMissedBeats: LIMITS.relayMissedBeats,
  relayProcessingMs: 30_000, // docs/wire/relay.md#heartbeat
  relaySendsPerSecond: 10_000,
  relaySendBurst: 20_000,
  mailboxEntries: 20_000,
  mailboxBytes: 64 * 1024 * 1024,
  mailboxTotalBytes: 1024 * 1024 * 1024,
  mailboxAgeMs: 7 * 24 * 60 * 60_000, // docs/wire/relay.md#storage
  mailboxHistory: 1_000, // docs/wire/relay.md#queries
  mailboxHistoryBytes: 256 * 1024 * 1024,
  relayAckTimeoutMs: 30_000, // docs/wire/relay.md#blocking-sends
  relayBlockingSends: 10_000,
  relayNames: 10_000,
  relayNamesUnits: 8 * 1024 * 1024,
  relayRecentUserMs: 300_000, // docs/wire/relay.md#direct-messages
  relaySpawnMs: AGENT_LIMITS.startMs,
};
