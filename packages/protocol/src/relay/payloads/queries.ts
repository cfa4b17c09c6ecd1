import type { Open } from "../../session/index.js";
import {
  flag,
  integer,
  type JsonBody,
  json,
  listOf,
  number,
  object,
  optional,
  record,
  text,
} from "../description/index.js";

/** INBOX: messages to an agent. */
export interface InboxPayload {
  /** Default: the sender of the query. */
  agent?: string;
  /** Default 50. */
  limit?: number;
  unreadOnly?: boolean;
  from?: string;
  channel?: string;
}

const inbox = object<InboxPayload>({
  agent: optional(text),
  limit: optional(number),
  unreadOnly: optional(flag),
  from: optional(text),
  channel: optional(text),
});

/** One message in an INBOX_RESPONSE. */
export interface InboxMessage {
  id: string;
  from: string;
  /** Mostly a text. See `bodyText`. */
  body: JsonBody;
  channel?: string;
  thread?: string;
  /** Unix milliseconds. */
  timestamp: number;
}

const inboxMessage = object<InboxMessage>({
  id: text,
  from: text,
  body: json,
  channel: optional(text),
  thread: optional(text),
  timestamp: number,
});

/** INBOX_RESPONSE, newest first. */
export interface InboxResponsePayload {
  messages: InboxMessage[];
}

const inboxResponse = object<InboxResponsePayload>({ messages: listOf(inboxMessage) });

/** MESSAGES_QUERY: stored messages to any recipient. */
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
  /** Ours: `failed` for dead letters only, which were dropped by age before they were acknowledged. Default: all messages. */
  status?: Open<"failed">;
}

const messagesQuery = object<MessagesQueryPayload>({
  limit: optional(number),
  sinceTs: optional(number),
  from: optional(text),
  to: optional(text),
  thread: optional(text),
  order: optional(text),
  status: optional(text),
});

/** One message in a MESSAGES_RESPONSE. */
export interface StoredMessage {
  id: string;
  from: string;
  to: string;
  /** Mostly a text. See `bodyText`. */
  body: JsonBody;
  channel?: string;
  thread?: string;
  /** Unix milliseconds. */
  timestamp: number;
  status?: Open<"unread" | "read" | "acked" | "failed">;
  isBroadcast?: boolean;
  replyCount?: number;
  data?: Record<string, unknown>;
}

const storedMessage = object<StoredMessage>({
  id: text,
  from: text,
  to: text,
  body: json,
  channel: optional(text),
  thread: optional(text),
  timestamp: number,
  status: optional(text),
  isBroadcast: optional(flag),
  replyCount: optional(number),
  data: optional(record),
});

/** MESSAGES_RESPONSE, in the requested order. */
export interface MessagesResponsePayload {
  messages: StoredMessage[];
}

const messagesResponse = object<MessagesResponsePayload>({ messages: listOf(storedMessage) });

/** RESEND: ours; sends dead letters again. */
export interface ResendPayload {
  /** Of the messages, as MESSAGES_RESPONSE names them. */
  ids: string[];
}

const resend = object<ResendPayload>({ ids: listOf(text) });

/** RESEND_RESPONSE. */
export interface ResendResponsePayload {
  /** Those of the request that were sent again. Others are no dead letters of the requester, or their mailbox is full. */
  ids: string[];
}

const resendResponse = object<ResendResponsePayload>({ ids: listOf(text) });

/** LIST_AGENTS; `project` is ignored. */
export interface ListAgentsPayload {
  /** Also those that are known and not connected. */
  includeIdle?: boolean;
  project?: string;
}

const listAgents = object<ListAgentsPayload>({ includeIdle: optional(flag), project: optional(text) });

/** LIST_CONNECTED_AGENTS; `project` is ignored. */
export interface ListConnectedAgentsPayload {
  project?: string;
}

const listConnectedAgents = object<ListConnectedAgentsPayload>({ project: optional(text) });

/** One agent in a list. */
export interface AgentSummary {
  name: string;
  cli?: string;
  idle?: boolean;
  parent?: string;
  team?: string;
  pid?: number;
}

const agentSummary = object<AgentSummary>({
  name: text,
  cli: optional(text),
  idle: optional(flag),
  parent: optional(text),
  team: optional(text),
  pid: optional(integer),
});

/** LIST_AGENTS_RESPONSE and LIST_CONNECTED_AGENTS_RESPONSE. */
export interface AgentListPayload {
  agents: AgentSummary[];
}

const agentList = object<AgentListPayload>({ agents: listOf(agentSummary) });

/** REMOVE_AGENT: deletes a name. */
export interface RemoveAgentPayload {
  /** 1 to 128 characters. */
  name: string;
  removeMessages?: boolean;
}

const removeAgent = object<RemoveAgentPayload>({ name: text, removeMessages: optional(flag) });

/** REMOVE_AGENT_RESPONSE: whether the name existed and was deleted. */
export interface RemoveAgentResponsePayload {
  success: boolean;
  removed: boolean;
  message?: string;
}

const removeAgentResponse = object<RemoveAgentResponsePayload>({
  success: flag,
  removed: flag,
  message: optional(text),
});

/** Descriptions of the queries for messages and agents, and of their answers (https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#queries). */
export const QUERY_PAYLOADS = {
  INBOX: inbox,
  INBOX_RESPONSE: inboxResponse,
  LIST_AGENTS: listAgents,
  LIST_AGENTS_RESPONSE: agentList,
  LIST_CONNECTED_AGENTS: listConnectedAgents,
  LIST_CONNECTED_AGENTS_RESPONSE: agentList,
  REMOVE_AGENT: removeAgent,
  REMOVE_AGENT_RESPONSE: removeAgentResponse,
  MESSAGES_QUERY: messagesQuery,
  MESSAGES_RESPONSE: messagesResponse,
  RESEND: resend,
  RESEND_RESPONSE: resendResponse,
} as const;
