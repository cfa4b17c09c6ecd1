import type { Agent, IncomingMessage } from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import { InvalidOptionError, LIMITS, MachineType } from "@daemon-sdk/protocol";
import { type ClientOptions, WebSocket } from "ws";
import type { ByteLink } from "./byte-link.js";
import { attempt } from "./dial-attempt.js";
import { dialFailed, dialTimedOut, REFUSAL_HEADER, upgradeRefused } from "./dial-errors.js";
import type { DialBytesOptions, DialWebSocketOptions } from "./dial-options.js";
import { dialTarget, unixTarget } from "./dial-target.js";
import { NodeByteLink } from "./node-byte-link.js";
import { NodeLink } from "./node-link.js";
import { environmentAgent } from "./proxy/index.js";
import { RETRY_SCHEDULES } from "./retry.js";
import { checkHeaders, socketBounds } from "./socket-options.js";
import { WebSocketTransport } from "./web-socket-transport.js";

const SCHEMES = ["ws:", "wss:", "ws+unix:"] as const;

/**
 * Opens a WebSocket: one attempt. Wrap it in `dialWithRetry` for more.
 *
 * Rejects with a `ConnectionError` (`CONNECTION_FAILED`, `CONNECT_TIMEOUT`, `AUTH_REJECTED` for HTTP 401 and 403,
 * `NOT_ALLOWED` when the daemon does not accept this Host or Origin), with
 * an `InvalidOptionError` for a URL it cannot read, with the reason of `signal`, or with what `onUpgrade` threw. No error
 * text holds the user, password or query of the URL.
 *
 * @param url `ws:`, `wss:`, or `ws+unix:///path/of.sock:/request/path`
 */
export async function dialWebSocket(url: string, options: DialWebSocketOptions = {}): Promise<WebSocketTransport> {
  return dial(url, options, (socket, response, maxMessageBytes) => {
    const stream: Duplex | null = response.socket;
    return new WebSocketTransport(new NodeLink(socket, stream ?? undefined, maxMessageBytes), options);
  });
}

/**
 * Opens a WebSocket that carries a stream of bytes in binary messages, such as the relay wire at `/relay`: one attempt.
 * Rejects as {@link dialWebSocket} does. `start` the link in the tick in which the promise resolves.
 */
export async function dialBytes(url: string, options: DialBytesOptions = {}): Promise<ByteLink> {
  return dial(url, options, (socket) => new NodeByteLink(socket));
}

async function dial<Link>(
  url: string,
  options: DialWebSocketOptions,
  makeLink: (socket: WebSocket, response: IncomingMessage, maxMessageBytes: number) => Link,
): Promise<Link> {
  const target = dialTarget(url, SCHEMES);
  checkHeaders(options.headers ?? {});
  const { timeoutMs = RETRY_SCHEDULES[MachineType.Local].attemptTimeoutMs, signal } = options;
  const maxMessageBytes = options.maxMessageBytes ?? LIMITS.sessionFrameBytes;
  const agent = (options.agent as Agent | undefined) ?? (await environmentAgent(target.url));
  const bounds = { signal, timeoutMs, timedOut: () => dialTimedOut(target.label, timeoutMs) };
  return attempt<Link>(bounds, ({ succeed, fail }) => {
    const { headers = {}, ca } = options;
    const trust = ca === undefined ? {} : { ca: [ca].flat() };
    const socket = openSocket(target.url, { headers, agent, ...trust, ...socketBounds(maxMessageBytes) });
    let response: IncomingMessage | undefined;
    socket.on("upgrade", (answer) => {
      response = answer;
      try {
        options.onUpgrade?.(headersOf(answer));
      } catch (error) {
        fail(error instanceof Error ? error : dialFailed(target.label, String(error)));
      }
    });
    socket.on("unexpected-response", (_request, { statusCode = 0, headers }) =>
      fail(upgradeRefused(target.label, statusCode, headers[REFUSAL_HEADER])),
    );
    socket.on("error", (error) => fail(dialFailed(target.label, error)));
    socket.on("open", () => {
      // `ws` emits "upgrade" before "open", always.
      succeed(makeLink(socket, response as IncomingMessage, maxMessageBytes));
    });
    return () => socket.terminate();
  });
}

/**
 * `ws` splits a `ws+unix:` URL at its first colon and does not decode it, so a path with a space or a colon would fail.
 * So the socket is connected here, and `ws` gets an ordinary URL.
 */
function openSocket(url: URL, options: ClientOptions): WebSocket {
  if (url.protocol !== "ws+unix:") return openNetworkSocket(url, options);
  const { socketPath, requestPath } = unixTarget(url);
  const createConnection = () => net.connect({ path: socketPath });
  return new WebSocket(`ws://localhost${requestPath}`, { ...options, agent: undefined, createConnection });
}

function openNetworkSocket(url: URL, options: ClientOptions): WebSocket {
  try {
    return new WebSocket(url, options);
  } catch (error) {
    if (!["ERR_INVALID_PROTOCOL", "ERR_INVALID_ARG_TYPE"].includes(String(Reflect.get(Object(error), "code"))))
      throw error;
    throw new InvalidOptionError("agent", "an `https.Agent` for `wss:`, an `http.Agent` for `ws:`");
  }
}

function headersOf(response: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}
