import { availableParallelism, totalmem } from "node:os";

/** Bounds of the agents that start and run, sessions' and workers' together. A configuration may change them. */
export interface LiveAgentLimits {
  /** Agents that start at a time; the rest wait. A start keeps a core busy. */
  readonly agentStarts: number;
  /** Agents that start or run, in all. Past it the one that has been idle longest is stopped for the next. */
  readonly liveAgents: number;
  /** Agents of one configured key that start or run. The person's own have the bound of all. */
  readonly liveAgentsPerKey: number;
  /** How long `initialize_session`, or a call for a session's agent, waits for its start to begin. A prompt waits on. */
  readonly agentWaitMs: number;
}

/** What one agent is reckoned with: `droid exec` takes 200 MB, of which processes share a part; the embedded one takes 50. */
const AGENT_BYTES = 128 * 1024 * 1024;

/** A small machine still runs as many: an idle agent's memory may be swapped out. */
const FEWEST_AGENTS = 32;

/** The memory that the machine, or the container, has. */
function memoryBytes(): number {
  // 0, and numbers past the machine's memory: nothing constrains it.
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

const liveAgents = Math.max(FEWEST_AGENTS, Math.floor(memoryBytes() / AGENT_BYTES));

/** The defaults, of this machine. */
export const LIVE_AGENT_LIMITS: LiveAgentLimits = {
  agentStarts: availableParallelism(),
  liveAgents,
  // A key alone can never keep the person, or three other keys, from having agents.
  liveAgentsPerKey: Math.ceil(liveAgents / 4),
  agentWaitMs: 10_000,
};
