import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createHttpHandler, type HttpHandlerOptions } from "../handler/index.js";
import { fileCursors } from "../webhooks/index.js";
import { DaemonKeys } from "./daemon-keys.js";

/** Options of {@link serveLocalDaemon}. */
export interface ServeLocalDaemonOptions
  extends Pick<HttpHandlerOptions, "allowedHosts" | "allowedOrigins" | "heartbeatMs" | "onError"> {
  /** The keys of the daemon's configuration as they are now; called for each request. Each key is a caller. */
  readonly apiKeys: () => Promise<readonly string[]>;
  /** Port on 127.0.0.1. Default 0: one that is free. */
  readonly port?: number;
  /** Lets callers add webhooks: the directory in which they are kept, and the origins to which deliveries may go. */
  readonly webhooks?: { readonly directory: string; readonly receivers: readonly string[] };
}

/** A running server. */
export interface LocalDaemonServer extends AsyncDisposable {
  readonly port: number;
  /** Ends open streams, deliveries and connections. The daemon continues. */
  close(): Promise<void>;
}

/**
 * Serves the daemon of this machine over HTTP, on 127.0.0.1. Callers send a key of the daemon, or its token, as `Authorization:
 * Bearer …`. The daemon is found, or started, with the first request. Rejects when the port is taken.
 */
export async function serveLocalDaemon(options: ServeLocalDaemonOptions): Promise<LocalDaemonServer> {
  const { apiKeys, port = 0, webhooks, onError, ...rest } = options;
  let isClosing = false;
  const keys = new DaemonKeys(apiKeys);
  const handler = createHttpHandler(keys.connectionOf, {
    ...rest,
    authorize: keys.authorize,
    onError(error) {
      if (!isClosing) onError?.(error);
    },
    ...(webhooks && { webhooks: { cursors: fileCursors(webhooks.directory), receivers: webhooks.receivers } }),
  });
  const server = createServer(getRequestListener(handler, { overrideGlobalObjects: false }));
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    await handler.close();
    throw error;
  }
  const close = async () => {
    isClosing = true;
    await Promise.all([handler.close(), ended(server)]);
    await keys.close();
  };
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close };
}

async function ended(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
