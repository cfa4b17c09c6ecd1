import type { ContractCase, OfferingHarness } from "../../contract/contract.js";
import { SpawnedAgent } from "./spawned-agent.js";

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

/**
 * A process of an agent, or what stands for one: lines in, lines out, and an end. Handlers are set before anything is
 * written to it.
 */
export interface AgentProcess {
  /** Called with each line of its stdout, without the line's end. */
  onLine: ((line: string) => void) | undefined;
  /** Called with pieces of its stderr. */
  onStderr: ((text: string) => void) | undefined;
  /** Called once, after the last line. A program that could not be started exits with 127. */
  onExit: ((exit: AgentExit) => void) | undefined;
  /** Writes one line to its stdin. */
  write(line: string): void;
  /** Ends its stdin, which asks it to end. */
  endInput(): void;
  /** Ends it now; nothing happens where it has ended. */
  kill(): void;
}

/** How an agent's process ended. */
export interface AgentExit {
  readonly code: number | null;
  readonly signal: string | null;
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
