export { Outbox, type SendReceipt } from "./outbox.js";
export { PendingReplies, type ReplyOptions } from "./pending-replies.js";
export { RelayCalls } from "./relay-calls.js";
export { RelayQueries } from "./relay-queries.js";
export { RelayWorkers, type SpawnRequest } from "./relay-workers.js";
export { type ExchangeOptions, type MessageOptions, type PostOptions, sendEnvelope } from "./send-envelope.js";
