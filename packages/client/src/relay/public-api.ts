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
export type {
  RelayClientOptions,
  RelayDial,
  RelayDialRequest,
  RelayDialResult,
  RelayIdentity,
  RelayState,
} from "./connection/index.js";
export type { RelayPresence } from "./presence.js";
export type { RelayMessage, RelayRoute } from "./receiving/index.js";
export { RelayAgent } from "./relay-agent.js";
export type {
  ExchangeOptions,
  MessageOptions,
  PostOptions,
  RelayQueries,
  RelayWorkers,
  ReplyOptions,
  SendReceipt,
  SpawnRequest,
} from "./sending/index.js";
