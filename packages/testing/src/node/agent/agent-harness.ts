import type { ContractCase, OfferingHarness } from "../../contract/index.js";
import type { AgentProcess } from "./agent-process.js";
import { SpawnedAgent, type SpawnOptions } from "./spawned-agent.js";

/** Prompts that make the agent do what cases are about. An absent one skips the cases that need it. */
export interface AgentPrompts {
  /** A short answer that holds `word`. */
  say(word: string): string;
  /** A turn that goes on until it is interrupted, and has said something by then. */
  readonly endless?: string;
  /** Asks for one permission before it uses a tool; the turn ends as completed, whatever the answer. */
  readonly permission?: string;
  /** Asks one question; the turn ends as completed, whatever the answer. */
  readonly question?: string;
}

/** Options of {@link agentHarness}. */
export interface AgentHarnessOptions extends SpawnOptions {
  readonly prompts: AgentPrompts;
  /** Whether it can load a conversation that another process of it had. Default false. */
  readonly keepsConversations?: boolean;
  /** How long to wait for what has to come; default 5 000. */
  readonly patienceMs?: number;
}

/** An agent for the agent contract: how to start it, and how to drive it. */
export interface AgentHarness extends AgentHarnessOptions, OfferingHarness {
  /** Starts a process; each case has its own. */
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
