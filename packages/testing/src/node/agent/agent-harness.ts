import type { ContractCase, OfferingHarness } from "../../contract/contract.js";

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
export interface AgentHarnessOptions {
  readonly prompts: AgentPrompts;
  /** Where the agent works. Default: the present directory. */
  readonly workingDirectory?: string;
  /** Its variables, beside `PATH` and `HOME`; a daemon would give it `DAEMON_SDK_AGENT_STATE` and more. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it can load a conversation that another process of it had. Default false. */
  readonly keepsConversations?: boolean;
  /** How long to wait for what has to come; default 5 000. */
  readonly patienceMs?: number;
}

/** An agent for the agent contract: how to start it, and how to drive it. */
export interface AgentHarness extends AgentHarnessOptions, OfferingHarness {
  /** Program and arguments; a process of it is started for each case. */
  readonly command: readonly [string, ...string[]];
}

/** One promise of the agent contract. */
export type AgentCase = ContractCase<AgentHarness>;

/** A harness for the agent that `command` starts; cases whose prompts are missing are skipped. */
export function agentHarness(command: AgentHarness["command"], options: AgentHarnessOptions): AgentHarness {
  const { prompts, keepsConversations = false } = options;
  const offered = [...Object.keys(prompts), ...(keepsConversations ? ["conversations"] : [])];
  return { ...options, command, offers: async () => new Set(offered) };
}
