import type { TransportClose } from "@daemon-sdk/protocol";

/** A large message that arrives. */
export interface LargeInbound {
  /** Bytes so far. */
  readonly length: number;
  /** Takes the next bytes. Must not throw. */
  push(part: Uint8Array): void;
  /** Acts on the message, which is complete and whose turn has come. */
  handle(): void;
}

/**
 * The protocol of a connection: its handshake, and what a message does. State, writing, deadlines and the end are the
 * connection's.
 *
 * Callbacks run after the connection's transition is complete, so they may act on it. When one throws, that is logged, and
 * the connection closes with 4500, because the dialect's state is unknown then.
 */
export interface Dialect<Inbound = string> {
  /** For logs. */
  readonly name: string;
  /** The link is open, and no message was received. May call `connection.accept`, when the peer needs no handshake. */
  onOpen?(): void;
  /** A message (or chunk) while handshaking or active. Calls `connection.accept` when the handshake has succeeded. */
  onMessage(message: Inbound): void;
  /** A large message begins. `setPaused` stops reading the link while others of the same sender are handled. */
  beginLarge?(setPaused: (isPaused: boolean) => void): LargeInbound;
  /** The handshake has succeeded. */
  onActive?(): void;
  /** Called once, when the connection has ended for any reason. */
  onClose(event: TransportClose): void;
  /** Called with a failure outside of a message, such as a deadline. */
  onError?(error: Error): void;
  /** Sends a ping of the dialect's own; with it, a connection that stays silent for too long is cut. */
  ping?(): void;
  /** True: the peer may be processing a message, so its silence does not count now. */
  isBusy?(): boolean;
  /** The daemon is about to close the connection; no more messages arrive. Returns the last message to send. */
  finalMessage?(): string | undefined;
}
