import type { TransportClose } from "@daemon-sdk/protocol";

/**
 * What a connection speaks. It says what a handshake is and what to do with a message; everything else (state, writing,
 * deadlines, the end) is the connection's.
 *
 * Callbacks run after the connection's transition is complete, so they may act on it. One that throws is logged and
 * closes the connection with 4500: its state is not known any more.
 */
export interface Dialect<Inbound = string> {
  /** For logs. */
  readonly name: string;
  /** A message (or chunk) while handshaking or active. Calls `connection.accept` when the handshake has succeeded. */
  onMessage(message: Inbound): void;
  /** The handshake has succeeded. */
  onActive?(): void;
  /** The connection is over; called once, whatever ended it. */
  onClose(event: TransportClose): void;
  /** Something failed that did not come from a message, such as a deadline. */
  onError?(error: Error): void;
  /** Sends a ping of the dialect's own; with it, a connection that stays silent for too long is cut. */
  ping?(): void;
  /** The peer has something better to do than to answer a ping: its silence does not count now. */
  isBusy?(): boolean;
  /** The connection is about to be closed by us, and nothing more will come in. What it returns is the last that is sent. */
  farewell?(): string | undefined;
}
