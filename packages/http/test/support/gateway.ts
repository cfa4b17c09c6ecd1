import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { FakeDaemon, type FakeDaemonOptions } from "@daemon-sdk/testing";
import { createHttpHandler, type HttpHandler, type HttpHandlerOptions } from "../../src/index.js";

/** The address under which tests call. */
export const BASE = "http://127.0.0.1:8080";

/** A fake daemon, a connection to it, and a gateway in front of it. */
export interface TestGateway extends AsyncDisposable {
  readonly daemon: FakeDaemon;
  readonly connection: DaemonConnection;
  readonly handler: HttpHandler;
  /** Calls a route; a body that is an object is sent as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** Makes a gateway that lets the caller in who sends `Bearer good`. */
export async function openGateway(
  options: Partial<HttpHandlerOptions> = {},
  daemonOptions: FakeDaemonOptions = {},
): Promise<TestGateway> {
  const daemon = new FakeDaemon(daemonOptions);
  const connection = await connectDaemon({ transport: daemon.dial, apiKey: "fk-test" });
  const handler = createHttpHandler(connection, { authorize: byName, ...options });
  return {
    daemon,
    connection,
    handler,
    call: (method, path, body, headers) => handler(requestOf(method, path, body, headers)),
    async [Symbol.asyncDispose]() {
      await handler.close();
      await connection.close();
    },
  };
}

/** The caller's name is the credential. */
export function byName(request: Request) {
  const [, name] = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  return name === undefined ? (401 as const) : { id: name };
}

/** A request of the caller `good`. */
export function requestOf(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Request {
  return new Request(`${BASE}${path}`, {
    method,
    headers: {
      authorization: "Bearer good",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}
