import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds and times of agents' processes; no option changes them. The configurable ones are in `SessionLimits`. */
export const AGENT_LIMITS = {
  /** Time for an agent's first reply; `droid exec` takes 0.2–0.4 s. */
  startMs: 30_000,
  /** How long the user's login shell may take, and how much it may print, until its PATH is used. */
  loginShellMs: 5_000,
  loginShellBytes: 1024 * 1024,
  /** From a cancel to the stop of an agent that speaks ACP and does not end its turn. */
  cancelMs: 10_000,
  /** How long a start counts among those that are bounded by `agentStarts`: one that takes longer waits for something else, even on a busy machine. */
  startShareMs: 10_000,
  /** How long a start may take before clients are notified of it: agents that start fast take a tenth of a second. */
  startNoticeMs: 250,
  /** How long a start may wait before the session's clients are notified: most waits are shorter. */
  waitNoticeMs: 1_000,
  /** Within this share (an eighth) of `liveAgents`, agents that have been idle for `restMs` are stopped ahead of the next start. */
  nearBoundShare: 8,
  restMs: 60_000,
  /** From the end of stdin, which requests an agent to exit, to SIGTERM … */
  stdinGraceMs: 2_000,
  /** … and from there to SIGKILL: `droid exec` ignores SIGTERM in mid-turn (docs/wire/agent-stdio.md#oddities). */
  termGraceMs: 2_000,
  /** Time for the rest of the output after an agent's death: only a surviving descendant holds the pipe open longer. */
  outputMs: 1_000,
  /** Bytes of an agent's stderr kept for the error that states why it died. */
  stderrBytes: 64 * 1024,
  /** Characters of a terminal that an agent runs, kept until a tool call shows the terminal. */
  terminalChars: 256 * 1024,
  /** Terminals of an agent that are known at a time; the one that came first is forgotten. */
  terminals: 64,
  /** Output kept of a terminal that the daemon runs for an agent, and how much of it the tool call gets that shows the terminal. */
  terminalBytes: 1024 * 1024,
  terminalShownChars: 64 * 1024,
  /** A terminal that writes without end is read by so many bytes, and then pauses. */
  terminalReadBytes: 256 * 1024,
  terminalPauseMs: 10,
  /** Largest file that an agent reads through the daemon, in bytes, and how many such calls may wait. */
  fileBytes: 8 * 1024 * 1024,
  fileCalls: 256,
  /** Answers that wait for an agent to read, such as refusals of its requests, before it is ended: one that never reads would fill the memory. */
  unreadMessages: 8_192,
  /** The same in bytes: as much as the largest line, so that a further one, of any length, waits besides. */
  unreadBytes: LIMITS.agentLineBytes,
  /** How long agents may take to end an interrupted turn when the daemon stops. */
  drainInterruptMs: 1_000,
  /** An agent that went idle in the middle of an answer: how long it may take to continue, or to state the turn's end. */
  idleGraceMs: 1_000,
  /** How long the agents of a daemon that handed over wait for the next one; as long as a client waits for the start of one. */
  holdMs: 30_000,
  /** Longest line between a holder and its daemon: an event or a prompt of `LIMITS.agentLineBytes`, with every character escaped. */
  holdLineBytes: 6 * 16 * 1024 * 1024 + 1024 * 1024,
  /** Bytes of events that wait for the daemon, above which a holder pauses its agents. */
  holdWaitingBytes: 1024 * 1024,
  /** How long `ps` may take where there is no `/proc`. */
  psTimeoutMs: 2_000,
  /** Files of `/proc` read at a time: enough to keep the thread pool busy, few enough to leave room for other work. */
  procReadsAtOnce: 16,
  /** Pause between two checks whether a killed process is gone, and the longest wait. */
  gonePollMs: 5,
  goneWaitMs: 2_000,
  /** Scans for descendants of a dead agent: a process may fork during a scan, and the next scan finds the child. */
  sweepRounds: 4,
  /** Time of the event loop that one agent's output gets at a time, and all agents' together before anything else is served: storing and delivering it takes as long again. */
  loopSliceMs: 0.5,
  loopRoundMs: 1,
  /** Share of the time that one agent's output may have while others write little: with storing and delivering, half of the loop … */
  loopShare: 0.25,
  /** … what it may have had beyond that before it pauses, in ms, and the most that counts … */
  loopOwedMs: 4,
  loopOwedMaxMs: 20,
  /** … and below which others count as writing little, for so long: a stream that a person reads has some events a second. */
  loopLightMs: 1,
  loopLightForMs: 200,
  /** Bytes that are cut into lines at a time: a chunk of a pipe may hold 32 000 lines. */
  linePieceBytes: 8 * 1024,
  /** Warnings about one agent that are all logged; after these, only the 32nd, 64th, 128th and so on. */
  warningsInFull: 20,
} as const;
