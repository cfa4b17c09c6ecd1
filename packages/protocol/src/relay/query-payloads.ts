import type { Open } from "../session/values.js";

// Facts of the wire: docs/wire/relay.md#queries

/** STATUS_RESPONSE: version, age and storage of the daemon. */
export interface StatusResponsePayload {
  version: string;
  /** Milliseconds. */
  uptime: number;
  cloudConnected: boolean;
  /** All registered connections, users among them. */
  agentCount: number;
  storage?: {
    persistent: boolean;
    driver: Open<"sqlite" | "jsonl" | "memory">;
    canWrite: boolean;
    canRead: boolean;
    error?: string;
  };
}

/** INBOX: messages to an agent. */
export interface InboxPayload {
  /** Default: the asker. */
  agent?: string;
  /** Default 50. */
  limit?: number;
  unreadOnly?: boolean;
  from?: string;
  channel?: string;
}

/** One message in an INBOX_RESPONSE. */
export interface InboxMessage {
  id: string;
  from: string;
  body: string;
  channel?: string;
  thread?: string;
  /** Unix milliseconds. */
  timestamp: number;
}

/** INBOX_RESPONSE, newest first. */
export interface InboxResponsePayload {
  messages: InboxMessage[];
}

/** MESSAGES_QUERY: stored messages, whoever they are to. */
export interface MessagesQueryPayload {
  /** Default 100. */
  limit?: number;
  /** Unix milliseconds. */
  sinceTs?: number;
  from?: string;
  to?: string;
  thread?: string;
  /** Default `desc`. */
  order?: Open<"asc" | "desc">;
}

/** One message in a MESSAGES_RESPONSE. */
export interface StoredMessage {
  id: string;
  from: string;
  to: string;
  body: string;
  channel?: string;
  thread?: string;
  /** Unix milliseconds. */
  timestamp: number;
  status?: Open<"unread" | "read" | "acked" | "failed">;
  isBroadcast?: boolean;
  replyCount?: number;
  data?: Record<string, unknown>;
}

/** MESSAGES_RESPONSE, in the order that was asked for. */
export interface MessagesResponsePayload {
  messages: StoredMessage[];
}

/** LIST_AGENTS; `project` is ignored. */
export interface ListAgentsPayload {
  /** Also those that are known and not connected. */
  includeIdle?: boolean;
  project?: string;
}

/** LIST_CONNECTED_AGENTS; `project` is ignored. */
export interface ListConnectedAgentsPayload {
  project?: string;
}

/** One agent in a list. */
export interface AgentSummary {
  name: string;
  cli?: string;
  idle?: boolean;
  parent?: string;
  team?: string;
  pid?: number;
}

/** LIST_AGENTS_RESPONSE and LIST_CONNECTED_AGENTS_RESPONSE. */
export interface AgentListPayload {
  agents: AgentSummary[];
}

/** REMOVE_AGENT: forgets a name. */
export interface RemoveAgentPayload {
  /** 1 to 128 characters. */
  name: string;
  removeMessages?: boolean;
}

/** REMOVE_AGENT_RESPONSE: whether the name was known and is forgotten. */
export interface RemoveAgentResponsePayload {
  success: boolean;
  removed: boolean;
  message?: string;
}

/** HEALTH; both fields are ignored. */
export interface HealthPayload {
  includeCrashes?: boolean;
  includeAlerts?: boolean;
}

/** HEALTH_RESPONSE: a score, and what lowers it. */
export interface HealthResponsePayload {
  /** 0 to 100. */
  healthScore: number;
  summary: string;
  issues: { severity: string; message: string }[];
  recommendations: string[];
  crashes: unknown[];
  alerts: unknown[];
  stats: { totalCrashes24h: number; totalAlerts24h: number; agentCount: number };
}

/** METRICS, of one agent or of all. */
export interface MetricsPayload {
  agent?: string;
}

/** One agent's process in a METRICS_RESPONSE. */
export interface AgentMetrics {
  name: string;
  pid?: number;
  status: string;
  rssBytes?: number;
  cpuPercent?: number;
  trend?: string;
  alertLevel?: string;
  highWatermark?: number;
  uptimeMs?: number;
}

/** METRICS_RESPONSE: processes of the agents, memory of the daemon's machine. */
export interface MetricsResponsePayload {
  agents: AgentMetrics[];
  /** Bytes. */
  system: { totalMemory: number; freeMemory: number; heapUsed: number };
}
