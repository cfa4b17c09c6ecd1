import type { AgentCase } from "../agent/index.js";
import { ACP_LIFE_CASES } from "./acp-life-cases.js";
import { ACP_TURN_CASES } from "./acp-turn-cases.js";

/**
 * The agent contract for agents that speak the Agent Client Protocol, version 1: the laws of docs/agents.md that a daemon relies on.
 * `C17` in an id is the mark beside the law in that document. Harnesses are those of `agentContract`.
 *
 * ```ts
 * registerContract(acpAgentContract, agentHarness(["my-agent", "acp"], { prompts: { say: (word) => word } }));
 * ```
 */
export const acpAgentContract: readonly AgentCase[] = [...ACP_LIFE_CASES, ...ACP_TURN_CASES];
