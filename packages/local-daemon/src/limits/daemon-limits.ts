import { LIMITS } from "@daemon-sdk/protocol";
import { RELAY_LIMITS, type RelayLimits } from "./relay-limits.js";
import { SESSION_LIMITS, type SessionLimits } from "./session-limits.js";

/** Bounds and times of a daemon that a configuration may change. */
export interface DaemonLimits extends SessionLimits, RelayLimits {
  /** Longest time from accept to authentication. */
  readonly authenticateMs: number;
  /** Most unauthenticated sockets. Over it the oldest silent one is closed. */
  readonly unauthenticatedSockets: number;
  /** Waiting bytes of one client above which its events are held back. */
  readonly connectionBufferBytes: number;
  /** How long that buffer may stay full before the connection is closed with 4408. */
  readonly slowConsumerMs: number;
  /** Time from our close to the destruction of a link that does not answer. */
  readonly closeTimeoutMs: number;
  /** How long running turns may continue when the daemon stops. */
  readonly drainMs: number;
  /** Time between two checks for unused sessions. */
  readonly sweepMs: number;
  /** Time for which the event loop may be held, in ms, before the log warns and names the cause. */
  readonly loopLagMs: number;
}

/** The defaults of a daemon, those of its sessions and of its relay included. */
export const DAEMON_LIMITS: DaemonLimits = {
  ...SESSION_LIMITS,
  ...RELAY_LIMITS,
  // A timer of our own, because Node's header check does not run on a server that gets its sockets by `emit`.
  authenticateMs: 2_000,
  unauthenticatedSockets: 256,
  connectionBufferBytes: 4 * 1024 * 1024,
  slowConsumerMs: 10_000,
  closeTimeoutMs: LIMITS.closeTimeoutMs,
  drainMs: 5_000,
  sweepMs: 5_000,
  // What a person notices; a busy daemon stays far below.
  loopLagMs: 200,
};
