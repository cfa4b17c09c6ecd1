import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds and times of sessions that a configuration may change; the reasons are with the defaults in `LIMITS`. */
export interface SessionLimits {
  /** An agent without a turn and without a client is stopped after this long. */
  readonly agentInactivityMs: number;
  /** How long an agent may take to end its turn after an interrupt, before it is stopped. */
  readonly agentInterruptMs: number;
  /** Starts of one session's agent within `agentRestartWindowMs` before it counts as unstable. */
  readonly agentRestarts: number;
  readonly agentRestartWindowMs: number;
  /** Prompts waiting in one session. */
  readonly queuedTurns: number;
  /** Sessions open at a time. */
  readonly openSessions: number;
  readonly journalKeepMs: number;
  readonly journalKeepBytes: number;
  readonly journalOldEntries: number;
  readonly journalOldBytes: number;
  /** Agent output waiting for the store above which the agent's pipe is paused. */
  readonly storeBacklogBytes: number;
}

/** The defaults. */
export const SESSION_LIMITS: SessionLimits = {
  agentInactivityMs: LIMITS.agentInactivityMs,
  agentInterruptMs: LIMITS.agentInterruptMs,
  agentRestarts: LIMITS.agentRestarts,
  agentRestartWindowMs: LIMITS.agentRestartWindowMs,
  queuedTurns: LIMITS.queuedTurns,
  openSessions: LIMITS.openSessions,
  journalKeepMs: LIMITS.journalKeepMs,
  journalKeepBytes: LIMITS.journalKeepBytes,
  journalOldEntries: LIMITS.journalOldEntries,
  journalOldBytes: LIMITS.journalOldBytes,
  storeBacklogBytes: LIMITS.storeBacklogBytes,
};
