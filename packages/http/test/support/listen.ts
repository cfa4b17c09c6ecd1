import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";

/** A handler on a port that the system chose. */
export interface Listening extends AsyncDisposable {
  readonly baseUrl: string;
}

/** Listens as the README shows it for Node. */
export async function listen(handler: (request: Request) => Promise<Response>): Promise<Listening> {
  const server = createServer(getRequestListener(handler, { overrideGlobalObjects: false }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
