import type { ContractCase, OfferingHarness } from "../../contract/index.js";
import type { AgentProcess } from "./agent-process.js";
import { SpawnedAgent, type SpawnOptions } from "./spawned-agent.js";

/** Prompts that make the agent do what the cases need. Cases of an absent prompt are skipped. */
export interface AgentPrompts {
  /** A short answer that contains `word`. */
  say(word: string): string;
  /** A turn that runs until it is interrupted, and writes text before that. */
  readonly endless?: string;
  /** Requests one permission before a tool use. The turn ends as completed with any answer. */
  readonly permission?: string;
  /** Asks one question. The turn ends as completed with any answer. */
  readonly question?: string;
}

/** Options of {@link agentHarness}. */
export interface AgentHarnessOptions extends SpawnOptions {
  readonly prompts: AgentPrompts;
  /** Whether the agent can load a conversation of an earlier process. Default false. */
  readonly keepsConversations?: boolean;
  /** How many ms to wait for expected frames; default 5 000. */
  readonly patienceMs?: number;
}

/** An agent for the agent contract: how to start and prompt it. */
export interface AgentHarness extends AgentHarnessOptions, OfferingHarness {
  /** Starts a process. Each case has its own. */
  start(): AgentProcess;
}

/** One promise of the agent contract. */
export type AgentCase = ContractCase<AgentHarness>;

/**
 * A harness for an agent; cases whose prompts are missing are skipped.
 *
 * @param agent program and arguments, or a function that starts a process in another way
 */
export function agentHarness(
  agent: readonly [string, ...string[]] | (() => AgentProcess),
  options: AgentHarnessOptions,
): AgentHarness {
  const { prompts, keepsConversations = false } = options;
  const offered = [...Object.keys(prompts), ...(keepsConversations ? ["conversations"] : [])];
  const start = typeof agent === "function" ? agent : () => new SpawnedAgent(agent, options);
  return { ...options, start, offers: async () => new Set(offered) };
}
