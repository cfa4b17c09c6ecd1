export * from "./daemon-connection.js";
export * from "./daemon-session.js";
export * from "./keep-connection.js";
export type {
  ArchivedSession,
  AvailableSession,
  OpenedSession,
  SessionPage,
  SessionPageOptions,
} from "./session-lists.js";
export * from "./session-options.js";
