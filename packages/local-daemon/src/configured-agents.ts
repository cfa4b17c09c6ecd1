import { fileURLToPath } from "node:url";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { KeyPolicy } from "./access/index.js";
import { AgentCatalog, type AgentSpec, type LoginShell, presetsOnPath, WORKSPACE_AGENT } from "./agents/index.js";
import type { ConfiguredAgent, ResolvedConfig } from "./config.js";

/** The agents of a configuration by name: the embedded one, presets on PATH where they are wanted, and the configured ones. */
export function agentSpecs(
  { agents, agentPresets }: Pick<ResolvedConfig, "agents" | "agentPresets">,
  { PATH }: NodeJS.ProcessEnv,
): AgentSpec[] {
  // The build puts the agent's program beside this file.
  const embedded = WORKSPACE_AGENT(fileURLToPath(new URL("workspace-agent.cjs", import.meta.url)));
  const presets = agentPresets ? presetsOnPath(PATH) : [];
  const all = [embedded, ...presets, ...Object.entries(agents).map(specOf)];
  return [...new Map(all.map((spec) => [spec.name, spec])).values()];
}

/**
 * The catalog of a configuration. Presets that are on the login shell's PATH only are found when the shell has been read. Throws
 * an `InvalidOptionError` for a name that no agent has.
 */
export function agentCatalog(config: ResolvedConfig, loginShell: LoginShell): AgentCatalog {
  const specs = () => agentSpecs(config, loginShell.env);
  const catalog = new AgentCatalog(specs(), config.defaultAgent, { read: () => loginShell.read(), specs });
  checkAgentsOfKeys(config, catalog);
  return catalog;
}

/**
 * Reads the login shell when the configuration names an agent that is not on the daemon's own PATH. Otherwise the daemon starts
 * without a wait for it.
 */
export async function findNamedAgents(config: ResolvedConfig, loginShell: LoginShell): Promise<void> {
  try {
    agentCatalog(config, loginShell);
  } catch (error) {
    if (!InvalidOptionError.is(error)) throw error;
    await loginShell.read();
  }
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
