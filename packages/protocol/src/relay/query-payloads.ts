import type { Open } from "../session/values.js";

/** STATUS_RESPONSE (relay spec §1.5). */
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

/** INBOX: messages to an agent (relay spec §1.5). */
export interface InboxPayload {
  /** Default: the asker. */
  agent?: string;
  /** Default 50. */
  limit?: number;
  unreadOnly?: boolean;
  from?: string;
  channel?: string;
}

/** One message in an INBOX_RESPONSE (relay spec §1.5). */
export interface InboxMessage {
  id: string;
  from: string;
  body: string;
  channel?: string;
  thread?: string;
  /** Unix milliseconds. */
  timestamp: number;
}

/** INBOX_RESPONSE, newest first (relay spec §1.5). */
export interface InboxResponsePayload {
  messages: InboxMessage[];
}

/** MESSAGES_QUERY (relay spec §1.5). */
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

/** One message in a MESSAGES_RESPONSE (relay spec §1.5). */
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

/** MESSAGES_RESPONSE (relay spec §1.5). */
export interface MessagesResponsePayload {
  messages: StoredMessage[];
}

/** LIST_AGENTS; `project` is ignored (relay spec §1.5). */
export interface ListAgentsPayload {
  /** Also those that are known and not connected. */
  includeIdle?: boolean;
  project?: string;
}

/** LIST_CONNECTED_AGENTS; `project` is ignored (relay spec §1.5). */
export interface ListConnectedAgentsPayload {
  project?: string;
}

/** One agent in a list (relay spec §1.5). */
export interface AgentSummary {
  name: string;
  cli?: string;
  idle?: boolean;
  parent?: string;
  team?: string;
  pid?: number;
}

/** LIST_AGENTS_RESPONSE and LIST_CONNECTED_AGENTS_RESPONSE (relay spec §1.5). */
export interface AgentListPayload {
  agents: AgentSummary[];
}

/** REMOVE_AGENT (relay spec §1.5). */
export interface RemoveAgentPayload {
  /** 1 to 128 characters. */
  name: string;
  removeMessages?: boolean;
}

/** REMOVE_AGENT_RESPONSE (relay spec §1.5). */
export interface RemoveAgentResponsePayload {
  success: boolean;
  removed: boolean;
  message?: string;
}

/** HEALTH; both wishes are ignored (relay spec §1.5). */
export interface HealthPayload {
  includeCrashes?: boolean;
  includeAlerts?: boolean;
}

/** HEALTH_RESPONSE (relay spec §1.5). */
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

/** METRICS, of one agent or of all (relay spec §1.5). */
export interface MetricsPayload {
  agent?: string;
}

/** One agent's process in a METRICS_RESPONSE (relay spec §1.5). */
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

/** METRICS_RESPONSE (relay spec §1.5). */
export interface MetricsResponsePayload {
  agents: AgentMetrics[];
  /** Bytes. */
  system: { totalMemory: number; freeMemory: number; heapUsed: number };
}
