export { type AcceptOptions, acceptBytes, acceptWebSocket } from "./accept.js";
export { AcceptedWebSocket } from "./accepted-web-socket.js";
export type { ByteLink, ByteLinkEvents } from "./byte-link.js";
export { dialBytes, dialWebSocket } from "./dial.js";
export { REFUSAL_HEADER } from "./dial-errors.js";
export type { DialBytesOptions, DialWebSocketOptions, HttpAgent } from "./dial-options.js";
export type { LargeMessage } from "./frames/index.js";
export {
  dialWithRetry,
  RETRY_SCHEDULES,
  type RetryClock,
  type RetryEvent,
  type RetryOptions,
  type RetrySchedule,
  retryDelayMs,
} from "./retry.js";
export { StreamTransport, type StreamTransportOptions } from "./stream/index.js";
export { WebSocketTransport, type WebSocketTransportOptions } from "./web-socket-transport.js";
