export { dialBytes, dialWebSocket } from "./browser-dial.js";
export type { ByteLink, ByteLinkEvents } from "./byte-link.js";
export type { DialBytesOptions, DialWebSocketOptions, HttpAgent } from "./dial-options.js";
export {
  dialWithRetry,
  RETRY_SCHEDULES,
  type RetryClock,
  type RetryEvent,
  type RetryOptions,
  type RetrySchedule,
  retryDelayMs,
} from "./retry.js";
export { WebSocketTransport, type WebSocketTransportOptions } from "./web-socket-transport.js";
