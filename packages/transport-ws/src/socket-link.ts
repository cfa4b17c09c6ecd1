import type { TransportClose } from "@daemon-sdk/protocol";

/** What a link tells the transport that owns it. Never called inside a call of the owner's. */
export interface SocketLinkEvents {
  /** One whole message; binary ones come as text, too. */
  onText(text: string): void;
  /** `bufferedBytes` has gone down. */
  onFlushed(): void;
  /** The socket is gone; nothing follows. */
  onEnded(event: TransportClose): void;
}

/**
 * One open WebSocket of whatever library, reduced to what {@link WebSocketTransport} needs.
 *
 * The laws (one end, order before handlers, back-pressure) live in the transport, once; a link only moves bytes.
 */
export interface SocketLink {
  /** Bytes taken by `send` that have not left this process. */
  readonly bufferedBytes: number;
  /** Starts the flow of events. Called once, in the tick in which the socket opened. */
  start(events: SocketLinkEvents): void;
  send(text: string): void;
  /** Starts the closing handshake behind what was sent. Ends within `LIMITS.closeTimeoutMs`, whatever the peer does. */
  close(code: number, reason: string): void;
  /** Destroys the socket. */
  terminate(): void;
  /** Stops reading, where the platform can. */
  pause(): void;
  resume(): void;
}
