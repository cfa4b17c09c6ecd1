import type { TransportClose } from "@daemon-sdk/protocol";

/** Callbacks of a link to its transport. Never called inside a call of the transport. */
export interface SocketLinkEvents {
  /** Called with one whole message. Binary messages are decoded as text. */
  onText(text: string): void;
  /** Called when `bufferedBytes` has decreased. */
  onFlushed(): void;
  /** Called last, when the socket has closed. */
  onEnded(event: TransportClose): void;
}

/**
 * One open WebSocket of any library, reduced to what {@link WebSocketTransport} needs.
 *
 * The transport implements the laws (one end, order before handlers, back-pressure). A link only moves bytes.
 */
export interface SocketLink {
  /** Bytes accepted by `send` that have not left this process. */
  readonly bufferedBytes: number;
  /** Starts the callbacks. Called once, in the tick in which the socket opened. */
  start(events: SocketLinkEvents): void;
  send(text: string): void;
  /** Starts the closing handshake after the sent messages. The link ends within `LIMITS.closeTimeoutMs` in any case. */
  close(code: number, reason: string): void;
  /** Destroys the socket. */
  terminate(): void;
  /** Stops reading, if the platform can. */
  pause(): void;
  resume(): void;
}
