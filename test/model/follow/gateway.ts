import type { DaemonConnection } from "@daemon-sdk/client";
import { createHttpHandler, type HttpHandler } from "@daemon-sdk/http";
import { type Listening, listen } from "../../../packages/http/test/support/listen.js";

/** The HTTP gateway on a port; its handler can be replaced, as by a process that takes over. */
export class Gateway implements AsyncDisposable {
  readonly #connection: DaemonConnection;
  #handler: HttpHandler;
  #server: Listening | undefined;

  private constructor(connection: DaemonConnection) {
    this.#connection = connection;
    this.#handler = newHandler(connection);
  }

  static async open(connection: DaemonConnection): Promise<Gateway> {
    const gateway = new Gateway(connection);
    gateway.#server = await listen((request) => gateway.#handler(request));
    return gateway;
  }

  get port(): number {
    return Number(new URL(this.#server?.baseUrl ?? "").port);
  }

  /** The gateway keeps nothing: another one goes on where this one stopped. */
  async replace(): Promise<void> {
    const former = this.#handler;
    this.#handler = newHandler(this.#connection);
    await former.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handler.close();
    await this.#server?.[Symbol.asyncDispose]();
  }
}

function newHandler(connection: DaemonConnection): HttpHandler {
  return createHttpHandler(connection, { authorize: () => ({ id: "model" }), heartbeatMs: 500, onError: () => {} });
}
