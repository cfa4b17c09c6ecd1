import type { Description } from "../description/index.js";
import type { MessageType } from "../message-types.js";
import {
  type AckPayload,
  type AgentReadyPayload,
  type BusyPayload,
  CONTROL_PAYLOADS,
  type EmptyPayload,
  type ErrorPayload,
  type HeartbeatPayload,
  type HelloPayload,
  type LogPayload,
  type NackPayload,
  type PresencePayload,
  type ReceiptPayload,
  type SyncPayload,
  type WelcomePayload,
} from "./control.js";
import {
  DIAGNOSTIC_PAYLOADS,
  type HealthPayload,
  type HealthResponsePayload,
  type MetricsPayload,
  type MetricsResponsePayload,
  type StatusResponsePayload,
} from "./diagnostics.js";
import {
  type ChannelInfoPayload,
  type ChannelJoinPayload,
  type ChannelLeavePayload,
  type ChannelMembersPayload,
  type ChannelMessagePayload,
  type ChannelTypingPayload,
  MESSAGE_PAYLOADS,
  type SendPayload,
  type ShadowBindPayload,
  type ShadowUnbindPayload,
} from "./messages.js";
import {
  type AgentListPayload,
  type InboxPayload,
  type InboxResponsePayload,
  type ListAgentsPayload,
  type ListConnectedAgentsPayload,
  type MessagesQueryPayload,
  type MessagesResponsePayload,
  QUERY_PAYLOADS,
  type RemoveAgentPayload,
  type RemoveAgentResponsePayload,
  type ResendPayload,
  type ResendResponsePayload,
} from "./queries.js";
import {
  type ListWorkersResultPayload,
  type ReleasePayload,
  type SendInputPayload,
  type SetModelPayload,
  type SetModelResultPayload,
  type SpawnPayload,
  type SpawnResultPayload,
  WORKER_PAYLOADS,
  type WorkerResultPayload,
} from "./workers.js";

/**
 * The payload of each message type.
 *
 * Types that no implementation sends, and that no document gives a shape, are open records: RESUME, STATE,
 * SYNC_SNAPSHOT, SYNC_DELTA, PROPOSAL_CREATE, VOTE.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#message-types
 */
export interface RelayPayloads extends Record<MessageType, object> {
  HELLO: HelloPayload;
  WELCOME: WelcomePayload;
  SEND: SendPayload;
  DELIVER: SendPayload;
  ACK: AckPayload;
  NACK: NackPayload;
  PING: HeartbeatPayload;
  PONG: HeartbeatPayload;
  ERROR: ErrorPayload;
  BUSY: BusyPayload;
  RESUME: EmptyPayload;
  BYE: EmptyPayload;
  STATE: EmptyPayload;
  SYNC: SyncPayload;
  SYNC_SNAPSHOT: EmptyPayload;
  SYNC_DELTA: EmptyPayload;
  SUBSCRIBE: EmptyPayload;
  UNSUBSCRIBE: EmptyPayload;
  SHADOW_BIND: ShadowBindPayload;
  SHADOW_UNBIND: ShadowUnbindPayload;
  LOG: LogPayload;
  CHANNEL_JOIN: ChannelJoinPayload;
  CHANNEL_LEAVE: ChannelLeavePayload;
  CHANNEL_MESSAGE: ChannelMessagePayload;
  CHANNEL_INFO: ChannelInfoPayload;
  CHANNEL_MEMBERS: ChannelMembersPayload;
  CHANNEL_TYPING: ChannelTypingPayload;
  SPAWN: SpawnPayload;
  SPAWN_RESULT: SpawnResultPayload;
  RELEASE: ReleasePayload;
  RELEASE_RESULT: WorkerResultPayload;
  SEND_INPUT: SendInputPayload;
  SEND_INPUT_RESULT: WorkerResultPayload;
  SET_MODEL: SetModelPayload;
  SET_MODEL_RESULT: SetModelResultPayload;
  LIST_WORKERS: EmptyPayload;
  LIST_WORKERS_RESULT: ListWorkersResultPayload;
  RECEIPT: ReceiptPayload;
  AGENT_READY: AgentReadyPayload;
  PRESENCE: PresencePayload;
  STATUS: EmptyPayload;
  STATUS_RESPONSE: StatusResponsePayload;
  INBOX: InboxPayload;
  INBOX_RESPONSE: InboxResponsePayload;
  LIST_AGENTS: ListAgentsPayload;
  LIST_AGENTS_RESPONSE: AgentListPayload;
  LIST_CONNECTED_AGENTS: ListConnectedAgentsPayload;
  LIST_CONNECTED_AGENTS_RESPONSE: AgentListPayload;
  REMOVE_AGENT: RemoveAgentPayload;
  REMOVE_AGENT_RESPONSE: RemoveAgentResponsePayload;
  HEALTH: HealthPayload;
  HEALTH_RESPONSE: HealthResponsePayload;
  METRICS: MetricsPayload;
  METRICS_RESPONSE: MetricsResponsePayload;
  MESSAGES_QUERY: MessagesQueryPayload;
  MESSAGES_RESPONSE: MessagesResponsePayload;
  RESEND: ResendPayload;
  RESEND_RESPONSE: ResendResponsePayload;
  PROPOSAL_CREATE: EmptyPayload;
  VOTE: EmptyPayload;
}

/** The description of each type's payload. Guards and schemas are derived from it. */
export const PAYLOADS: { readonly [Type in MessageType]: Description<RelayPayloads[Type]> } = {
  ...CONTROL_PAYLOADS,
  ...MESSAGE_PAYLOADS,
  ...QUERY_PAYLOADS,
  ...DIAGNOSTIC_PAYLOADS,
  ...WORKER_PAYLOADS,
};
