import type { TransportClose } from "@daemon-sdk/protocol";
import type { Connection } from "./connection.js";

/**
 * What a connection speaks. It says what a handshake is and what to do with a message; everything else (state, writing,
 * deadlines, the end) is the connection's.
 *
 * Callbacks run after the connection's transition is complete, so they may act on it. One that throws is logged and
 * closes the connection with 4500: its state is not known any more.
 */
export interface Dialect {
  /** For logs. */
  readonly name: string;
  /** A message while handshaking or active. Calls `connection.accept` when the handshake has succeeded. */
  onMessage(text: string): void;
  /** The handshake has succeeded. */
  onActive?(): void;
  /** The connection is over; called once, whatever ended it. */
  onClose(event: TransportClose): void;
  /** Something failed that did not come from a message, such as a deadline. */
  onError?(error: Error): void;
  /** Sends a ping of the dialect's own; with it, a connection that stays silent for too long is cut. */
  ping?(): void;
}

/** Makes the dialect of one connection. */
export type DialectFactory = (connection: Connection) => Dialect;
