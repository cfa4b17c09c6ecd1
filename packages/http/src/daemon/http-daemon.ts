import type { DaemonConnection } from "@daemon-sdk/client";

/** The calls of a connection that the gateway makes. A `DaemonConnection` has all of them. */
export type HttpDaemon = Pick<
  DaemonConnection,
  | "answerRequest"
  | "archiveSession"
  | "closeSession"
  | "createSession"
  | "deleteSession"
  | "follow"
  | "getReceipts"
  | "getSessionMessages"
  | "interruptSession"
  | "listAvailableSessions"
  | "listRequests"
  | "renameSession"
  | "resumeSession"
  | "searchSessions"
  | "send"
  | "unarchiveSession"
  | "waitForReceipt"
>;
