import { type ListMcpServersResult, type McpServerConfig, RpcCode, RpcFault } from "@daemon-sdk/protocol";
import type { ConversationData } from "./conversation.js";
import { flagParam, type RawParams, recordsParam, textParam } from "./params.js";

/** Why a server in the list is not connected. */
const NOT_STARTED = "The workspace agent keeps the list of MCP servers and connects to none.";

/** Adds the servers of `initialize_session` and `load_session`; servers of the same name are replaced. */
export function addConfiguredServers(data: ConversationData, params: RawParams): void {
  for (const config of recordsParam(params, "mcpServers")) addServer(data, config);
}

/** `add_mcp_server`: adds to the list. The agent connects to none of them. */
export function addServer(data: ConversationData, params: RawParams): void {
  const name = textParam(params, "name");
  const { sessionId: _, ...config } = params;
  data.mcpServers = [
    ...data.mcpServers.filter((server) => server.name !== name),
    { ...config, name } as McpServerConfig,
  ];
}

/** `remove_mcp_server`; answers -32602 when there is none of that name. */
export function removeServer(data: ConversationData, params: RawParams): void {
  const name = knownName(data, params);
  data.mcpServers = data.mcpServers.filter((server) => server.name !== name);
  data.disabledMcpServers = data.disabledMcpServers.filter((disabled) => disabled !== name);
}

/** `toggle_mcp_server`; answers -32602 when there is none of that name. */
export function toggleServer(data: ConversationData, params: RawParams): void {
  const name = knownName(data, params);
  const others = data.disabledMcpServers.filter((disabled) => disabled !== name);
  data.disabledMcpServers = flagParam(params, "enabled") ? others : [...others, name];
}

/** The content of `list_mcp_servers` and of `mcp_status_changed`. */
export function listServers({ mcpServers, disabledMcpServers }: ConversationData): ListMcpServersResult {
  const servers = mcpServers.map(({ name, type }) => ({
    name,
    status: disabledMcpServers.includes(name) ? "disabled" : "disconnected",
    source: "user",
    isManaged: false,
    serverType: type ?? "stdio",
    error: NOT_STARTED,
  }));
  const disabled = servers.filter(({ status }) => status === "disabled").length;
  return { servers, summary: { total: servers.length, connected: 0, connecting: 0, failed: 0, disabled } };
}

function knownName(data: ConversationData, params: RawParams): string {
  const name = textParam(params, "serverName");
  if (data.mcpServers.some((server) => server.name === name)) return name;
  throw new RpcFault(RpcCode.invalidParams, `There is no MCP server "${name}".`);
}
