// What the Node entry and the browser entry have in common: everything but `connectDaemon` itself.
export {
  type Clock,
  ConcurrentStreamError,
  ConnectionError,
  DAEMON_ERROR_CODES,
  type DaemonCapabilities,
  DaemonError,
  type DaemonErrorCode,
  DEFAULT_DAEMON_PORT,
  DEFAULT_RELAY_BASE_URL,
  type Dial,
  type DialRequest,
  type DroidClientTransport,
  FACTORY_PROTOCOL_VERSION,
  type FileSource,
  type ImageSource,
  type InboxRequest,
  InvalidOptionError,
  type Logger,
  MachineType,
  type McpServerConfig,
  METHODS,
  NO_ANSWER,
  ProcessExitError,
  ProtocolEngine,
  ProtocolError,
  type Receipt,
  type SDKMachineConfig,
  type SessionActivity,
  SessionError,
  type SessionMessage,
  SessionNotFoundError,
  type SessionNotification,
  TimeoutError,
  type TokenUsage,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
export { WebSocketTransport } from "@daemon-sdk/transport-ws";
export type { ConnectDaemon } from "./connect-daemon.js";
export { DaemonClient, type DaemonClientOptions } from "./daemon-client.js";
export { DaemonConnection, type DaemonIdentity, type RunOptions } from "./daemon-connection.js";
export { DaemonSession, type NotificationFilter } from "./daemon-session.js";
export type {
  AskUserHandler,
  AskUserReply,
  AskUserRequest,
  HandlerContext,
  Handlers,
  PermissionAnswer,
  PermissionHandler,
  PermissionRequest,
} from "./handlers.js";
export { type MultiplexerOptions, type NewLink, type SessionView, SharedTransportMultiplexer } from "./multiplexer.js";
export type { ConnectDaemonOptions, HeartbeatOptions, ReconnectOptions } from "./options.js";
export type { OutputFormatOption } from "./output-format.js";
export { type ResolveUrlOptions, resolveWebSocketUrl } from "./resolve-url.js";
export type { ActivityListener } from "./session-activity.js";
export type { NotificationListener, SessionObserver } from "./session-feed.js";
export type { DaemonSessionOptions, ResumeSessionOptions, SendOptions, StreamOptions } from "./session-options.js";
export type { SessionSnapshot } from "./session-snapshot.js";
export type { ConnectionStatus } from "./status-events.js";
export * from "./stream/events.js";
export { MessageBridge, type MessageBridgeOptions } from "./stream/message-bridge.js";
export { StreamStateTracker, type StreamStateTrackerOptions } from "./stream/stream-state-tracker.js";
