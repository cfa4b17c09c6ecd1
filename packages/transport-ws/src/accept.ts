import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { LIMITS, ProtocolError } from "@daemon-sdk/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import { AcceptedWebSocket } from "./accepted-web-socket.js";
import type { ByteLink } from "./byte-link.js";
import { NodeByteLink } from "./node-byte-link.js";
import { NodeLink } from "./node-link.js";
import { checkHeaders, socketBounds } from "./socket-options.js";
import type { WebSocketTransportOptions } from "./web-socket-transport.js";

/** Options of {@link acceptWebSocket} and {@link acceptBytes}. */
export interface AcceptOptions extends WebSocketTransportOptions {
  /** Extra headers of the 101 response. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Largest accepted message; a larger one ends the link with 1009. Default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
}

/**
 * Answers an HTTP upgrade with a WebSocket. The arguments are those of Node's `upgrade` event.
 *
 * Checks the WebSocket handshake only: check Host, Origin and credential before. Rejects with a `ProtocolError` when the
 * request is no valid upgrade, after answering it with HTTP 400 or 405.
 */
export async function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  options: AcceptOptions = {},
): Promise<AcceptedWebSocket> {
  const maxMessageBytes = options.maxMessageBytes ?? LIMITS.sessionFrameBytes;
  return upgrade(
    { request, socket, head },
    options,
    (webSocket) => new AcceptedWebSocket(new NodeLink(webSocket, socket, maxMessageBytes, true), options),
  );
}

/**
 * Answers an HTTP upgrade with a WebSocket that carries a stream of bytes, such as relay frames; otherwise as
 * {@link acceptWebSocket}. Start the link in the tick in which the promise resolves.
 */
export async function acceptBytes(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  options: AcceptOptions = {},
): Promise<ByteLink> {
  return upgrade({ request, socket, head }, options, (webSocket) => new NodeByteLink(webSocket));
}

/** Completes the WebSocket handshake and makes a link of the socket in the same tick. */
function upgrade<Made>(
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Uint8Array },
  options: AcceptOptions,
  make: (webSocket: WebSocket) => Made,
): Made {
  const { headers = {} } = options;
  checkHeaders(headers);
  const maxMessageBytes = options.maxMessageBytes ?? LIMITS.sessionFrameBytes;
  const server = new WebSocketServer({ noServer: true, clientTracking: false, ...socketBounds(maxMessageBytes) });
  server.on("headers", (lines) => lines.push(...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)));
  let made: { link: Made } | undefined;
  // Without `verifyClient` this call is synchronous: an answer or a refusal has been written when it returns.
  server.handleUpgrade(request, socket, Buffer.from(head), (webSocket) => {
    made = { link: make(webSocket) };
  });
  if (made) return made.link;
  throw new ProtocolError(
    "PROTOCOL_VIOLATION",
    "The request is not a WebSocket upgrade, or its sender has disconnected. It was refused.",
  );
}
