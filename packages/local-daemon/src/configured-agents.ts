import { fileURLToPath } from "node:url";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { KeyPolicy } from "./access/index.js";
import { AgentCatalog, type AgentSpec, presetsOnPath, WORKSPACE_AGENT } from "./agents/index.js";
import type { ConfiguredAgent, ResolvedConfig } from "./config.js";

/** The agents of a configuration by name: the embedded one, presets on PATH where they are wanted, and the configured ones. */
export function agentSpecs({ agents, agentPresets }: Pick<ResolvedConfig, "agents" | "agentPresets">): AgentSpec[] {
  // The build puts the agent's program beside this file.
  const embedded = WORKSPACE_AGENT(fileURLToPath(new URL("workspace-agent.cjs", import.meta.url)));
  const presets = agentPresets ? presetsOnPath(process.env.PATH) : [];
  const all = [embedded, ...presets, ...Object.entries(agents).map(specOf)];
  return [...new Map(all.map((spec) => [spec.name, spec])).values()];
}

/** The catalog of a configuration. Throws an `InvalidOptionError` for a name that no agent has. */
export function agentCatalog(config: ResolvedConfig): AgentCatalog {
  const catalog = new AgentCatalog(agentSpecs(config), config.defaultAgent);
  checkAgentsOfKeys(config, catalog);
  return catalog;
}

function specOf([name, { driver = "stream-jsonrpc", ...agent }]: [string, ConfiguredAgent]): AgentSpec {
  return { name, driver, ...agent };
}

/** An agent that is misspelt would be missing without a word. */
function checkAgentsOfKeys({ apiKeys }: ResolvedConfig, { names }: AgentCatalog): void {
  for (const [index, key] of apiKeys.entries()) {
    const { agents = [] }: KeyPolicy = typeof key === "string" ? {} : key;
    const unknown = agents.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new InvalidOptionError(`apiKeys.${index}.agents`, `some of ${names.join(", ")}`, unknown);
    }
  }
}
