import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A delivery as a receiver got it. */
export interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: {
    readonly type: string;
    readonly sessionId: string;
    readonly lastEventId: string;
    readonly data: unknown;
  };
}

/** A receiver of webhooks, with every delivery in order. */
export interface Receiver extends AsyncDisposable {
  readonly origin: string;
  readonly received: Received[];
  /** The status of the answers from now on. A status of 0 cuts the socket instead. */
  status: number;
  /** Resolves when a delivery fits. */
  until(fits: (received: Received) => boolean): Promise<Received>;
}

/** Starts a receiver on a port that the system chose. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request.setEncoding("utf8")) body += piece;
    received.push({ headers: request.headers as Record<string, string>, body, json: JSON.parse(body) });
    if (receiver.status === 0) request.socket.destroy();
    else
      response
        .writeHead(receiver.status, receiver.status === 302 ? { location: `${receiver.origin}/moved` } : {})
        .end();
    for (const wake of waiting) wake();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const receiver: Receiver = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    status: 204,
    until: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = received.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}
