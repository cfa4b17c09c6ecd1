import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { DaemonConnection } from "@daemon-sdk/client";
import { createHttpHandler, type HttpHandler } from "@daemon-sdk/http";

/** The HTTP gateway on a port; its handler can be replaced, as by a process that takes over. */
export class Gateway implements AsyncDisposable {
  readonly #server: Server;
  readonly #connection: DaemonConnection;
  #handler: HttpHandler;

  private constructor(connection: DaemonConnection) {
    this.#connection = connection;
    this.#handler = newHandler(connection);
    this.#server = createServer((request, response) => {
      const { method = "GET", url = "/", headers } = request;
      const gone = new AbortController();
      response.on("close", () => gone.abort());
      const sent = new Request(`http://127.0.0.1${url}`, {
        method,
        headers: headers as Record<string, string>,
        signal: gone.signal,
      });
      void this.#handler(sent)
        .then((answer) => write(answer, response))
        .catch(() => response.destroy());
    });
  }

  static async open(connection: DaemonConnection): Promise<Gateway> {
    const gateway = new Gateway(connection);
    gateway.#server.listen(0, "127.0.0.1");
    await once(gateway.#server, "listening");
    return gateway;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The gateway keeps nothing: another one goes on where this one stopped. */
  async replace(): Promise<void> {
    const former = this.#handler;
    this.#handler = newHandler(this.#connection);
    await former.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handler.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function newHandler(connection: DaemonConnection): HttpHandler {
  return createHttpHandler(connection, { authorize: () => ({ id: "model" }), heartbeatMs: 500, onError: () => {} });
}

async function write(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  const reader = answer.body?.getReader();
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    if (done || value === undefined) break;
    if (!response.write(value)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}
