// The half of the client that a page loads beside the dial, and the types of both.

export {
  type ArchivedSession,
  type AvailableSession,
  DaemonConnection,
  DaemonSession,
  type DaemonSessionOptions,
  type FollowOptions,
  type InterruptOptions,
  type NotificationFilter,
  type OpenedSession,
  type ResumeSessionOptions,
  type RunOptions,
  type SendByIdOptions,
  type SessionPage,
  type SessionPageOptions,
} from "../api/index.js";
export type {
  AskUserHandler,
  AskUserReply,
  AskUserRequest,
  HandlerContext,
  Handlers,
  PermissionAnswer,
  PermissionHandler,
  PermissionRequest,
} from "../base/index.js";
export type { ConnectDaemon } from "../connect/index.js";
export {
  type ConnectDaemonOptions,
  type ConnectionStatus,
  type HeartbeatOptions,
  type MultiplexerOptions,
  type NewLink,
  type ReconnectOptions,
  type SessionView,
  SharedTransportMultiplexer,
} from "../connection/index.js";
export type { DaemonIdentity } from "../link/index.js";
export {
  type ActivityListener,
  answerFromText,
  DaemonClient,
  type DaemonClientOptions,
  type NotificationListener,
  type PresentableRequest,
  presentRequest,
  type RequestChoice,
  type RequestPresentation,
  type SessionObserver,
  type SessionSnapshot,
} from "../session/index.js";
export {
  MessageBridge,
  type MessageBridgeOptions,
  type OutputFormatOption,
  type SendOptions,
  type StreamOptions,
  StreamStateTracker,
  type StreamStateTrackerOptions,
} from "../stream/index.js";
