import type { Open } from "../../session/index.js";
import { anything, flag, integer, listOf, number, object, optional, record, text } from "../description/index.js";

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

const statusResponse = object<StatusResponsePayload>({
  version: text,
  uptime: number,
  cloudConnected: flag,
  agentCount: number,
  storage: optional(
    object<NonNullable<StatusResponsePayload["storage"]>>({
      persistent: flag,
      driver: text,
      canWrite: flag,
      canRead: flag,
      error: optional(text),
    }),
  ),
});

/** HEALTH; both fields are ignored. */
export interface HealthPayload {
  includeCrashes?: boolean;
  includeAlerts?: boolean;
}

const health = object<HealthPayload>({ includeCrashes: optional(flag), includeAlerts: optional(flag) });

/** HEALTH_RESPONSE: a score and the issues that lower it. */
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

const healthResponse = object<HealthResponsePayload>({
  healthScore: number,
  summary: text,
  issues: listOf(object<HealthResponsePayload["issues"][number]>({ severity: text, message: text })),
  recommendations: listOf(text),
  crashes: listOf(anything),
  alerts: listOf(anything),
  stats: object<HealthResponsePayload["stats"]>({
    totalCrashes24h: number,
    totalAlerts24h: number,
    agentCount: number,
  }),
});

/** METRICS, of one agent or of all. */
export interface MetricsPayload {
  agent?: string;
}

const metrics = object<MetricsPayload>({ agent: optional(text) });

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

const agentMetrics = object<AgentMetrics>({
  name: text,
  pid: optional(integer),
  status: text,
  rssBytes: optional(number),
  cpuPercent: optional(number),
  trend: optional(text),
  alertLevel: optional(text),
  highWatermark: optional(number),
  uptimeMs: optional(number),
});

/** METRICS_RESPONSE: processes of the agents, memory of the daemon's machine. */
export interface MetricsResponsePayload {
  agents: AgentMetrics[];
  /** Bytes. */
  system: { totalMemory: number; freeMemory: number; heapUsed: number };
}

const metricsResponse = object<MetricsResponsePayload>({
  agents: listOf(agentMetrics),
  system: object<MetricsResponsePayload["system"]>({ totalMemory: number, freeMemory: number, heapUsed: number }),
});

/** Descriptions of the queries about the daemon's and the agents' condition, and of their answers (https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#queries). */
export const DIAGNOSTIC_PAYLOADS = {
  STATUS: record,
  STATUS_RESPONSE: statusResponse,
  HEALTH: health,
  HEALTH_RESPONSE: healthResponse,
  METRICS: metrics,
  METRICS_RESPONSE: metricsResponse,
} as const;
