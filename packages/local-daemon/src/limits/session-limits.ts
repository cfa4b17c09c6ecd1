import { LIMITS } from "@daemon-sdk/protocol";
import { LIVE_AGENT_LIMITS, type LiveAgentLimits } from "./live-agent-limits.js";

/** Bounds and times of sessions that a configuration may change. */
export interface SessionLimits extends LiveAgentLimits {
  /** An agent without a turn and without a client is stopped after this long; the session stays, and starts it again. */
  readonly agentInactivityMs: number;
  /** How long an agent may take to end its turn after an interrupt, before it is stopped: a turn never hangs. */
  readonly agentInterruptMs: number;
  /** Starts of one session's agent within `agentRestartWindowMs` before it counts as unstable. */
  readonly agentRestarts: number;
  readonly agentRestartWindowMs: number;
  /** Prompts waiting in one session. */
  readonly queuedTurns: number;
  /** Sessions open at a time; each may hold a process. */
  readonly openSessions: number;
  /** Entries younger than this stay, whatever their number: a client that lost its socket comes back within it. */
  readonly journalKeepMs: number;
  /** … up to this many bytes. */
  readonly journalKeepBytes: number;
  /** Older entries stay within this count … */
  readonly journalOldEntries: number;
  /** … and within these bytes. */
  readonly journalOldBytes: number;
  /** Agent output waiting for the store above which the agent's pipe is paused. */
  readonly storeBacklogBytes: number;
}

/** The defaults. */
export const SESSION_LIMITS: SessionLimits = {
  ...LIVE_AGENT_LIMITS,
  agentInactivityMs: 15 * 60_000,
  agentInterruptMs: 10_000,
  agentRestarts: 5,
  agentRestartWindowMs: 10_000,
  queuedTurns: LIMITS.queuedTurns,
  openSessions: 20_000,
  journalKeepMs: 120_000,
  journalKeepBytes: 64 * 1024 * 1024,
  journalOldEntries: 10_000,
  journalOldBytes: 8 * 1024 * 1024,
  storeBacklogBytes: 1024 * 1024,
};
