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
export type { SendReceipt } from "./outbox.js";
export type { ReplyOptions } from "./pending-replies.js";
export type { RelayPresence } from "./presence.js";
export type { RelayState } from "./relay.machine.js";
export { RelayAgent } from "./relay-client.js";
export type { RelayMessage, RelayRoute } from "./relay-message.js";
export type { RelayClientOptions, RelayIdentity } from "./relay-options.js";
export type { RelayDial, RelayDialRequest, RelayDialResult } from "./relay-platform.js";
export type { RelayQueries } from "./relay-queries.js";
export type { RelayWorkers, SpawnRequest } from "./relay-workers.js";
export type { ExchangeOptions, MessageOptions, PostOptions } from "./send-envelope.js";
