import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { DaemonSource } from "../daemon/index.js";
import { createHttpHandler, type HttpHandlerOptions } from "../handler/index.js";
import { fileCursors } from "../webhooks/index.js";
import type { DaemonKeys } from "./daemon-keys.js";

/** Options of a server for callers with keys. */
export interface KeyServerOptions
  extends Pick<HttpHandlerOptions, "allowedHosts" | "allowedOrigins" | "heartbeatMs" | "onError"> {
  /** Port on 127.0.0.1. Default 0: one that is free. */
  readonly port?: number;
  /** Lets callers add webhooks: the directory in which they are kept, and the origins to which deliveries may go. */
  readonly webhooks?: { readonly directory: string; readonly receivers: readonly string[] };
}

/** A running server. */
export interface LocalDaemonServer extends AsyncDisposable {
  readonly port: number;
  /** Ends open streams, deliveries and connections. The daemon, or the fleet, continues. */
  close(): Promise<void>;
}

/** Serves a source over HTTP on 127.0.0.1, for callers with keys. Rejects when the port is taken. */
export async function serveKeys(
  source: DaemonSource,
  keys: DaemonKeys,
  { port = 0, webhooks, onError, ...rest }: KeyServerOptions,
): Promise<LocalDaemonServer> {
  let isClosing = false;
  const handler = createHttpHandler(source, {
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
