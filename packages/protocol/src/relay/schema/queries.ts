import * as z from "zod/mini";

const text = z.string();
const number = z.number();
const flag = z.boolean();
const optionalText = z.exactOptional(text);
const optionalNumber = z.exactOptional(number);
const optionalFlag = z.exactOptional(flag);
const openRecord = z.record(z.string(), z.unknown());

const agentList = z.looseObject({
  agents: z.array(
    z.looseObject({
      name: text,
      cli: optionalText,
      idle: optionalFlag,
      parent: optionalText,
      team: optionalText,
      pid: z.exactOptional(z.int()),
    }),
  ),
});

const inboxMessage = z.looseObject({
  id: text,
  from: text,
  body: text,
  channel: optionalText,
  thread: optionalText,
  timestamp: number,
});

const storedMessage = z.looseObject({
  id: text,
  from: text,
  to: text,
  body: text,
  channel: optionalText,
  thread: optionalText,
  timestamp: number,
  status: optionalText,
  isBroadcast: optionalFlag,
  replyCount: optionalNumber,
  data: z.exactOptional(openRecord),
});

const agentMetrics = z.looseObject({
  name: text,
  pid: z.exactOptional(z.int()),
  status: text,
  rssBytes: optionalNumber,
  cpuPercent: optionalNumber,
  trend: optionalText,
  alertLevel: optionalText,
  highWatermark: optionalNumber,
  uptimeMs: optionalNumber,
});

/** Schemas of the questions to the daemon and their answers (docs/wire/relay.md#queries); other keys pass. */
export const QUERY_SCHEMAS = {
  STATUS: openRecord,
  STATUS_RESPONSE: z.looseObject({
    version: text,
    uptime: number,
    cloudConnected: flag,
    agentCount: number,
    storage: z.exactOptional(
      z.looseObject({ persistent: flag, driver: text, canWrite: flag, canRead: flag, error: optionalText }),
    ),
  }),
  INBOX: z.looseObject({
    agent: optionalText,
    limit: optionalNumber,
    unreadOnly: optionalFlag,
    from: optionalText,
    channel: optionalText,
  }),
  INBOX_RESPONSE: z.looseObject({ messages: z.array(inboxMessage) }),
  LIST_AGENTS: z.looseObject({ includeIdle: optionalFlag, project: optionalText }),
  LIST_AGENTS_RESPONSE: agentList,
  LIST_CONNECTED_AGENTS: z.looseObject({ project: optionalText }),
  LIST_CONNECTED_AGENTS_RESPONSE: agentList,
  REMOVE_AGENT: z.looseObject({ name: text, removeMessages: optionalFlag }),
  REMOVE_AGENT_RESPONSE: z.looseObject({ success: flag, removed: flag, message: optionalText }),
  HEALTH: z.looseObject({ includeCrashes: optionalFlag, includeAlerts: optionalFlag }),
  HEALTH_RESPONSE: z.looseObject({
    healthScore: number,
    summary: text,
    issues: z.array(z.looseObject({ severity: text, message: text })),
    recommendations: z.array(text),
    crashes: z.array(z.unknown()),
    alerts: z.array(z.unknown()),
    stats: z.looseObject({ totalCrashes24h: number, totalAlerts24h: number, agentCount: number }),
  }),
  METRICS: z.looseObject({ agent: optionalText }),
  METRICS_RESPONSE: z.looseObject({
    agents: z.array(agentMetrics),
    system: z.looseObject({ totalMemory: number, freeMemory: number, heapUsed: number }),
  }),
  MESSAGES_QUERY: z.looseObject({
    limit: optionalNumber,
    sinceTs: optionalNumber,
    from: optionalText,
    to: optionalText,
    thread: optionalText,
    order: optionalText,
  }),
  MESSAGES_RESPONSE: z.looseObject({ messages: z.array(storedMessage) }),
} as const;
