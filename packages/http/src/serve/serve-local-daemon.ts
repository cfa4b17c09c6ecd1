import { DaemonKeys } from "./daemon-keys.js";
import { type KeyServerOptions, type LocalDaemonServer, serveKeys } from "./http-server.js";

/** Options of {@link serveLocalDaemon}. */
export interface ServeLocalDaemonOptions extends KeyServerOptions {
  /** The keys of the daemon's configuration as they are now; called for each request. Each key is a caller. */
  readonly apiKeys: () => Promise<readonly string[]>;
}

/**
 * Serves the daemon of this machine over HTTP, on 127.0.0.1. Callers send a key of the daemon, or its token, as `Authorization:
 * Bearer …`. The daemon is found, or started, with the first request. Rejects when the port is taken.
 */
export function serveLocalDaemon({ apiKeys, ...options }: ServeLocalDaemonOptions): Promise<LocalDaemonServer> {
  const keys = new DaemonKeys(apiKeys);
  return serveKeys(keys.connectionOf, keys, options);
}
