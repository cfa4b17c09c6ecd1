import { LIMITS } from "@daemon-sdk/protocol";
import { RELAY_LIMITS, type RelayLimits } from "./relay-limits.js";
import { SESSION_LIMITS, type SessionLimits } from "./session-limits.js";

/** Bounds and times of a daemon that a configuration may change. */
export interface DaemonLimits extends SessionLimits, RelayLimits {
  /** Accept to authenticated. */
  readonly authenticateMs: number;
  /** Sockets that have not authenticated; past it the oldest silent one is cut. */
  readonly unauthenticatedSockets: number;
  /** Bytes waiting for one client above which its events are held back. */
  readonly connectionBufferBytes: number;
  /** How long a client may let that buffer be full before it is closed with 4408. */
  readonly slowConsumerMs: number;
  /** From our close to the end of a link that does not answer. */
  readonly closeTimeoutMs: number;
  /** When the daemon stops: how long running turns may go on. */
  readonly drainMs: number;
  /** Time between two looks for sessions that are unused. */
  readonly sweepMs: number;
}

/** The defaults of a daemon, those of its sessions and of its relay included. */
export const DAEMON_LIMITS: DaemonLimits = {
  ...SESSION_LIMITS,
  ...RELAY_LIMITS,
  // One timer of our own, because Node's header check does not run on a server fed by hand.
  authenticateMs: 2_000,
  unauthenticatedSockets: 256,
  connectionBufferBytes: 4 * 1024 * 1024,
  slowConsumerMs: 10_000,
  closeTimeoutMs: LIMITS.closeTimeoutMs,
  drainMs: 5_000,
  sweepMs: 5_000,
};
