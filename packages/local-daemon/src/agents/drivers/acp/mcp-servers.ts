import { isRecord, type McpServerConfig } from "@daemon-sdk/protocol";
import type { AcpVersion } from "./handshake.js";

/** MCP servers as the agent takes them, and the names of those whose transport it does not offer. */
export interface AcpMcpServers {
  readonly servers: readonly Record<string, unknown>[];
  readonly refused: readonly string[];
}

/**
 * Servers are passed on where the agent offers their transport; version 1 always takes stdio servers (docs/wire/acp.md#mcp).
 */
export function acpMcpServers(
  configs: readonly McpServerConfig[],
  agentCapabilities: unknown,
  version: AcpVersion = 1,
): AcpMcpServers {
  const offered = isRecord(agentCapabilities) ? agentCapabilities.mcpCapabilities : undefined;
  const takes = ({ type = "stdio" }: McpServerConfig) =>
    (type === "stdio" && version === 1) || (isRecord(offered) && Boolean(offered[type]));
  return {
    servers: configs.filter(takes).map((config) => serverOf(config, version)),
    refused: configs.filter((config) => !takes(config)).map(({ name }) => name),
  };
}

/** A stdio server has no `type` in version 1, and its environment is a list. */
function serverOf(config: McpServerConfig, version: AcpVersion): Record<string, unknown> {
  if ("command" in config) {
    const { name, command, args, env = {} } = config;
    const type = version === 1 ? {} : { type: "stdio" };
    return { ...type, name, command, args, env: Object.entries(env).map(([key, value]) => ({ name: key, value })) };
  }
  const { type, name, url, headers = [] } = config;
  return { type, name, url, headers };
}
