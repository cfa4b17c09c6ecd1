export { type AcceptOptions, acceptWebSocket } from "./accept.js";
export { type DialWebSocketOptions, dialWebSocket } from "./dial.js";
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
