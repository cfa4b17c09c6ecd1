import type { DaemonConnection } from "@daemon-sdk/client";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { HttpPrincipal } from "../access/index.js";

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

/**
 * The daemon that the gateway leads to: one connection for all callers, who then share its sessions; or a function that returns the
 * connection of a caller, so that the daemon itself keeps the sessions of callers apart.
 */
export type DaemonSource = HttpDaemon | ((principal: HttpPrincipal) => HttpDaemon | Promise<HttpDaemon>);

/** The source as a function. Throws an `InvalidOptionError` for what is neither a connection nor a function. */
export function daemonOf(source: DaemonSource): (principal: HttpPrincipal) => Promise<HttpDaemon> {
  if (typeof source === "function") return async (principal) => source(principal);
  if (typeof Object(source).follow !== "function")
    throw new InvalidOptionError("connection", "a DaemonConnection, or a function that returns one", source);
  return async () => source;
}
