import { LIFE_CASES, TURN_CASES } from "./agent-cases.js";
import type { AgentCase } from "./agent-harness.js";
import { ASKING_CASES } from "./asking-cases.js";

/**
 * The laws of docs/agents.md as cases that run against any agent that a command starts. `A16` in an id is the mark beside
 * the law in that document. Each case starts processes of its own and ends them.
 *
 * ```ts
 * registerContract(agentContract, agentHarness(["node", "agent.mjs"], { prompts: { say: (word) => word } }));
 * ```
 */
export const agentContract: readonly AgentCase[] = [...LIFE_CASES, ...TURN_CASES, ...ASKING_CASES];
