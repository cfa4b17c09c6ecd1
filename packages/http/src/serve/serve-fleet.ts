import type { HttpFleet } from "../daemon/index.js";
import { DaemonKeys } from "./daemon-keys.js";
import { type KeyServerOptions, type LocalDaemonServer, serveKeys } from "./http-server.js";

/** Options of {@link serveFleet}. */
export interface ServeFleetOptions extends KeyServerOptions {
  /**
   * The keys of callers as they are now; called for each request. All callers act as the service of the fleet's credentials, so a key
   * that may do less than this service is none of them.
   */
  readonly apiKeys: () => Promise<readonly string[]>;
}

/**
 * Serves all machines of a fleet over HTTP, on 127.0.0.1. Callers send one of the keys, or the token of the local daemon, as
 * `Authorization: Bearer …`. They share the sessions of the service; webhooks are those of their caller. The fleet stays open when the
 * server is closed: it is the caller's. Rejects when the port is taken.
 */
export function serveFleet(fleet: HttpFleet, { apiKeys, ...options }: ServeFleetOptions): Promise<LocalDaemonServer> {
  return serveKeys(fleet, new DaemonKeys(apiKeys), options);
}
