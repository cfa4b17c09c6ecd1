import { LIMITS } from "@daemon-sdk/protocol";
import { LIVE_AGENT_LIMITS, type LiveAgentLimits } from "./live-agent-limits.js";

/** Bounds and times of sessions that a configuration may change. */
export interface SessionLimits extends LiveAgentLimits {
  /** Time after which an agent without turn and client is stopped. The session is kept and starts the agent again when needed. */
  readonly agentInactivityMs: number;
  /** How long an agent may take to end its turn after an interrupt, before it is stopped: a turn never hangs. */
  readonly agentInterruptMs: number;
  /** Starts of one session's agent within `agentRestartWindowMs` before it counts as unstable. */
  readonly agentRestarts: number;
  readonly agentRestartWindowMs: number;
  /** Most queued prompts of one session. */
  readonly queuedTurns: number;
  /** … and their bytes, which are on disk. */
  readonly queuedBytes: number;
  /** Bytes of the prompts queued in all sessions of one configured key, or of the person. */
  readonly queuedBytesPerPrincipal: number;
  /** Most open sessions; each may have a process. */
  readonly openSessions: number;
  /** Most open sessions of one configured key. The person's own have the bound of all. */
  readonly openSessionsPerKey: number;
  /** Most stored sessions of one configured key, open or not. The person's own have no bound but retention. */
  readonly storedSessionsPerKey: number;
  /**
   * Bytes that the sessions of one configured key have stored, above which no new prompt and no new session is accepted. A running
   * turn goes on up to a fourth more.
   */
  readonly storedBytesPerKey: number;
  /** The same of the person's own sessions; default: no bound but the disk. */
  readonly storedBytesOfPerson: number;
  /** Entries younger than this are kept, whatever their number: a client that lost its link resumes within this time. */
  readonly journalKeepMs: number;
  /** … up to this many bytes. */
  readonly journalKeepBytes: number;
  /** Older entries are kept within this count … */
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
  queuedBytes: 64 * 1024 * 1024,
  queuedBytesPerPrincipal: 256 * 1024 * 1024,
  openSessions: 20_000,
  openSessionsPerKey: 2_000,
  storedSessionsPerKey: 100_000,
  storedBytesPerKey: 8 * 1024 * 1024 * 1024,
  storedBytesOfPerson: Number.MAX_SAFE_INTEGER,
  journalKeepMs: 120_000,
  journalKeepBytes: 64 * 1024 * 1024,
  journalOldEntries: 10_000,
  journalOldBytes: 8 * 1024 * 1024,
  storeBacklogBytes: 1024 * 1024,
};
