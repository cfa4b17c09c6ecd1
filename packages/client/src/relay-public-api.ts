// What the Node entry and the browser entry of `./relay` have in common: everything but `RelayClient` itself.
export {
  ConnectionError,
  DaemonError,
  type DaemonErrorCode,
  InvalidOptionError,
  type Logger,
  ProtocolError,
  TimeoutError,
} from "@daemon-sdk/protocol";
export type {
  AckPayload,
  AgentSummary,
  InboxMessage,
  SendPayload,
  SpawnResultPayload,
  StoredMessage,
  WorkerSummary,
} from "@daemon-sdk/protocol/relay";
export type { ByteLink, ByteLinkEvents } from "@daemon-sdk/transport-ws";
export type { SendReceipt } from "./relay/outbox.js";
export type { ReplyOptions } from "./relay/pending-replies.js";
export type { RelayPresence } from "./relay/presence.js";
export type { RelayState } from "./relay/relay.machine.js";
export { RelayAgent } from "./relay/relay-client.js";
export type { RelayMessage, RelayRoute } from "./relay/relay-message.js";
export type { RelayClientOptions, RelayIdentity } from "./relay/relay-options.js";
export type { RelayDial, RelayDialRequest, RelayDialResult } from "./relay/relay-platform.js";
export type { RelayQueries } from "./relay/relay-queries.js";
export type { RelayWorkers, SpawnRequest } from "./relay/relay-workers.js";
export type { ExchangeOptions, MessageOptions, PostOptions } from "./relay/send-envelope.js";
