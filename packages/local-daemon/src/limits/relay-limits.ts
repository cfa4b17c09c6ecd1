import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds and times of the relay; the reasons are with the defaults in `LIMITS`. */
export interface RelayLimits {
  /** Largest frame, its header not counted. */
  readonly relayFrameBytes: number;
  /** Accept to HELLO. */
  readonly relayHandshakeMs: number;
  readonly relayHeartbeatMs: number;
  /** Intervals without a frame before a connection counts as dead. */
  readonly relayMissedBeats: number;
  /** A name that got a message is not expected to answer pings for this long. */
  readonly relayProcessingMs: number;
  /** SENDs per second and sender that are taken for long … */
  readonly relaySendsPerSecond: number;
  /** … and at once. */
  readonly relaySendBurst: number;
  /** Unacknowledged messages in one mailbox. */
  readonly mailboxEntries: number;
  /** Their bytes. */
  readonly mailboxBytes: number;
  /** An unacknowledged message older than this is dropped. */
  readonly mailboxAgeMs: number;
  /** Acknowledged messages of one mailbox that are kept for queries. */
  readonly mailboxHistory: number;
  /** Wait for an ACK that a blocking SEND gives no time for. */
  readonly relayAckTimeoutMs: number;
  /** Blocking SENDs that wait at a time. */
  readonly relayBlockingSends: number;
  /** A user that left is reachable for this long. */
  readonly relayRecentUserMs: number;
  /** How long a spawned program may take to connect. */
  readonly relaySpawnMs: number;
}

/** What a configuration that says nothing means. */
export const RELAY_LIMITS: RelayLimits = {
  relayFrameBytes: LIMITS.relayFrameBytes,
  relayHandshakeMs: LIMITS.authenticateMs,
  relayHeartbeatMs: LIMITS.relayHeartbeatMs,
  relayMissedBeats: LIMITS.relayMissedBeats,
  relayProcessingMs: LIMITS.relayProcessingMs,
  relaySendsPerSecond: LIMITS.relaySendsPerSecond,
  relaySendBurst: LIMITS.relaySendBurst,
  mailboxEntries: LIMITS.mailboxEntries,
  mailboxBytes: LIMITS.mailboxBytes,
  mailboxAgeMs: LIMITS.mailboxAgeMs,
  mailboxHistory: LIMITS.mailboxHistory,
  relayAckTimeoutMs: LIMITS.relayAckTimeoutMs,
  relayBlockingSends: LIMITS.relayBlockingSends,
  relayRecentUserMs: LIMITS.relayRecentUserMs,
  relaySpawnMs: LIMITS.agentStartMs,
};
