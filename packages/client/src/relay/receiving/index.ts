export { MessageFeed } from "./message-feed.js";
export {
  correlationOf,
  messageOfChannel,
  messageOfDeliver,
  type RelayMessage,
  type RelayRoute,
} from "./relay-message.js";
