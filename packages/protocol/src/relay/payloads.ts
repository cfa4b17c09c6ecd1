import type {
  AckPayload,
  AgentReadyPayload,
  BusyPayload,
  EmptyPayload,
  ErrorPayload,
  HeartbeatPayload,
  HelloPayload,
  LogPayload,
  NackPayload,
  ReceiptPayload,
  SyncPayload,
  WelcomePayload,
} from "./control-payloads.js";
import type {
  ChannelInfoPayload,
  ChannelJoinPayload,
  ChannelLeavePayload,
  ChannelMembersPayload,
  ChannelMessagePayload,
  ChannelTypingPayload,
  SendPayload,
  ShadowBindPayload,
  ShadowUnbindPayload,
} from "./message-payloads.js";
import type { MessageType } from "./message-types.js";
import type {
  AgentListPayload,
  HealthPayload,
  HealthResponsePayload,
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
} from "./query-payloads.js";
import type {
  ListWorkersResultPayload,
  ReleasePayload,
  SendInputPayload,
  SetModelPayload,
  SetModelResultPayload,
  SpawnPayload,
  SpawnResultPayload,
  WorkerResultPayload,
} from "./worker-payloads.js";

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
  PROPOSAL_CREATE: EmptyPayload;
  VOTE: EmptyPayload;
}
