import { isRecord, type McpServerConfig } from "@daemon-sdk/protocol";

/** MCP servers as the agent takes them, and the names of those whose transport it does not offer. */
export interface AcpMcpServers {
  readonly servers: readonly Record<string, unknown>[];
  readonly refused: readonly string[];
}

/** Stdio servers are always taken; http and sse only where the agent offers them (docs/wire/acp.md#mcp). */
export function acpMcpServers(configs: readonly McpServerConfig[], agentCapabilities: unknown): AcpMcpServers {
  const offered = isRecord(agentCapabilities) ? agentCapabilities.mcpCapabilities : undefined;
  const takes = ({ type }: McpServerConfig) =>
    type === undefined || type === "stdio" || (isRecord(offered) && Boolean(offered[type]));
  return {
    servers: configs.filter(takes).map(serverOf),
    refused: configs.filter((config) => !takes(config)).map(({ name }) => name),
  };
}

/** A stdio server has no `type` on this wire, and its environment is a list. */
function serverOf(config: McpServerConfig): Record<string, unknown> {
  if ("command" in config) {
    const { name, command, args, env = {} } = config;
    return { name, command, args, env: Object.entries(env).map(([key, value]) => ({ name: key, value })) };
  }
  const { type, name, url, headers = [] } = config;
  return { type, name, url, headers };
}
