// The half of the client that a page loads beside the dial, and the types of both.
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
export type { ActivityListener } from "./session-activity.js";
export type { NotificationListener, SessionObserver } from "./session-feed.js";
export type { DaemonSessionOptions, ResumeSessionOptions, SendOptions, StreamOptions } from "./session-options.js";
export type { SessionSnapshot } from "./session-snapshot.js";
export type { ConnectionStatus } from "./status-events.js";
export { MessageBridge, type MessageBridgeOptions } from "./stream/message-bridge.js";
export { StreamStateTracker, type StreamStateTrackerOptions } from "./stream/stream-state-tracker.js";
