import { isRecord } from "../session/guards.js";
import type {
  AgentListPayload,
  AgentMetrics,
  AgentSummary,
  HealthPayload,
  HealthResponsePayload,
  InboxMessage,
  InboxPayload,
  InboxResponsePayload,
  ListAgentsPayload,
  ListConnectedAgentsPayload,
  MessagesQueryPayload,
  MessagesResponsePayload,
  MetricsPayload,
  MetricsResponsePayload,
  RemoveAgentPayload,
  RemoveAgentResponsePayload,
  StatusResponsePayload,
  StoredMessage,
} from "./query-payloads.js";
import { isAnything, isFiniteNumber, isFlag, isInteger, isText, listOf, optional, shape } from "./shape.js";

const isAgentList = shape<AgentListPayload>({
  agents: listOf(
    shape<AgentSummary>({
      name: isText,
      cli: optional(isText),
      idle: optional(isFlag),
      parent: optional(isText),
      team: optional(isText),
      pid: optional(isInteger),
    }),
  ),
});

const isInboxMessage = shape<InboxMessage>({
  id: isText,
  from: isText,
  body: isText,
  channel: optional(isText),
  thread: optional(isText),
  timestamp: isFiniteNumber,
});

const isStoredMessage = shape<StoredMessage>({
  id: isText,
  from: isText,
  to: isText,
  body: isText,
  channel: optional(isText),
  thread: optional(isText),
  timestamp: isFiniteNumber,
  status: optional(isText),
  isBroadcast: optional(isFlag),
  replyCount: optional(isFiniteNumber),
  data: optional(isRecord),
});

const isAgentMetrics = shape<AgentMetrics>({
  name: isText,
  pid: optional(isInteger),
  status: isText,
  rssBytes: optional(isFiniteNumber),
  cpuPercent: optional(isFiniteNumber),
  trend: optional(isText),
  alertLevel: optional(isText),
  highWatermark: optional(isFiniteNumber),
  uptimeMs: optional(isFiniteNumber),
});

/** Guards of the questions to the daemon and their answers (docs/wire/relay.md#queries). */
export const QUERY_GUARDS = {
  STATUS: isRecord,
  STATUS_RESPONSE: shape<StatusResponsePayload>({
    version: isText,
    uptime: isFiniteNumber,
    cloudConnected: isFlag,
    agentCount: isFiniteNumber,
    storage: optional(
      shape<NonNullable<StatusResponsePayload["storage"]>>({
        persistent: isFlag,
        driver: isText,
        canWrite: isFlag,
        canRead: isFlag,
        error: optional(isText),
      }),
    ),
  }),
  INBOX: shape<InboxPayload>({
    agent: optional(isText),
    limit: optional(isFiniteNumber),
    unreadOnly: optional(isFlag),
    from: optional(isText),
    channel: optional(isText),
  }),
  INBOX_RESPONSE: shape<InboxResponsePayload>({ messages: listOf(isInboxMessage) }),
  LIST_AGENTS: shape<ListAgentsPayload>({ includeIdle: optional(isFlag), project: optional(isText) }),
  LIST_AGENTS_RESPONSE: isAgentList,
  LIST_CONNECTED_AGENTS: shape<ListConnectedAgentsPayload>({ project: optional(isText) }),
  LIST_CONNECTED_AGENTS_RESPONSE: isAgentList,
  REMOVE_AGENT: shape<RemoveAgentPayload>({ name: isText, removeMessages: optional(isFlag) }),
  REMOVE_AGENT_RESPONSE: shape<RemoveAgentResponsePayload>({
    success: isFlag,
    removed: isFlag,
    message: optional(isText),
  }),
  HEALTH: shape<HealthPayload>({ includeCrashes: optional(isFlag), includeAlerts: optional(isFlag) }),
  HEALTH_RESPONSE: shape<HealthResponsePayload>({
    healthScore: isFiniteNumber,
    summary: isText,
    issues: listOf(shape<HealthResponsePayload["issues"][number]>({ severity: isText, message: isText })),
    recommendations: listOf(isText),
    crashes: listOf(isAnything),
    alerts: listOf(isAnything),
    stats: shape<HealthResponsePayload["stats"]>({
      totalCrashes24h: isFiniteNumber,
      totalAlerts24h: isFiniteNumber,
      agentCount: isFiniteNumber,
    }),
  }),
  METRICS: shape<MetricsPayload>({ agent: optional(isText) }),
  METRICS_RESPONSE: shape<MetricsResponsePayload>({
    agents: listOf(isAgentMetrics),
    system: shape<MetricsResponsePayload["system"]>({
      totalMemory: isFiniteNumber,
      freeMemory: isFiniteNumber,
      heapUsed: isFiniteNumber,
    }),
  }),
  MESSAGES_QUERY: shape<MessagesQueryPayload>({
    limit: optional(isFiniteNumber),
    sinceTs: optional(isFiniteNumber),
    from: optional(isText),
    to: optional(isText),
    thread: optional(isText),
    order: optional(isText),
  }),
  MESSAGES_RESPONSE: shape<MessagesResponsePayload>({ messages: listOf(isStoredMessage) }),
} as const;
