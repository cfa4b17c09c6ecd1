import { type IncomingMessage, validateHeaderName, validateHeaderValue } from "node:http";
import type { Duplex } from "node:stream";
import { InvalidOptionError, LIMITS, ProtocolError } from "@daemon-sdk/protocol";
import { WebSocketServer } from "ws";
import { NodeLink } from "./node-link.js";
import { socketBounds } from "./socket-bounds.js";
import { WebSocketTransport, type WebSocketTransportOptions } from "./web-socket-transport.js";

/** Options of {@link acceptWebSocket}. */
export interface AcceptOptions extends WebSocketTransportOptions {
  /** Extra headers of the 101 response. */
  readonly headers?: Record<string, string>;
  /** Largest message taken; a larger one ends the link with 1009. Default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
}

/**
 * Answers an HTTP upgrade with a WebSocket; takes the three arguments of Node's `upgrade` event.
 *
 * Checks nothing but the WebSocket handshake itself: who may connect (Host, Origin, credential) is to be decided before.
 * Rejects with a `ProtocolError` when the request is no valid upgrade; it was then answered with HTTP 400 or 405.
 */
export async function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  options: AcceptOptions = {},
): Promise<WebSocketTransport> {
  const extraHeaders = headerLines(options.headers ?? {});
  const maxMessageBytes = options.maxMessageBytes ?? LIMITS.sessionFrameBytes;
  const server = new WebSocketServer({ noServer: true, clientTracking: false, ...socketBounds(maxMessageBytes) });
  server.on("headers", (lines) => lines.push(...extraHeaders));
  let accepted: WebSocketTransport | undefined;
  // Without `verifyClient` this is synchronous: afterwards the answer has been written, whichever it was.
  server.handleUpgrade(request, socket, Buffer.from(head), (webSocket) => {
    accepted = new WebSocketTransport(new NodeLink(webSocket, socket, maxMessageBytes), options);
  });
  if (accepted) return accepted;
  throw new ProtocolError(
    "PROTOCOL_VIOLATION",
    "The request is not a WebSocket upgrade (or its sender has left). It was refused; nothing more is to be done.",
  );
}

/** Lines of the response; a value with a line break in it could forge others, so it is refused. */
function headerLines(headers: Record<string, string>): string[] {
  return Object.entries(headers).map(([name, value]) => {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new InvalidOptionError(`headers.${name}`, "a valid HTTP header");
    }
    return `${name}: ${value}`;
  });
}
