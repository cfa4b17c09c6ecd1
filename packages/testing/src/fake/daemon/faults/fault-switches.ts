/**
 * Faults of one connection (`daemon.connection(1)`) or of all connections (`daemon.faults`). For all connections, `delay`,
 * `stall` and `slow` also apply to later ones, until `heal`.
 */
export interface FaultSwitches {
  /** Breaks the link, as a dead network does: frames in flight are lost, and the client gets an unclean close. */
  drop(): void;
  /** Closes the link politely, with a code such as `CloseCode.goingAway`; default 1000. */
  close(code?: number, reason?: string): void;
  /** Delays every message of both directions by `ms` of the daemon's clock and keeps their order. 0 ends the delay. */
  delay(ms: number): void;
  /** Makes the link half-open: no message passes in either direction, without a close. `heal` delivers the held messages. */
  stall(): void;
  /** Makes the daemon stop reading, so that sent messages fill the client's buffer. */
  slow(): void;
  /** Ends `delay`, `stall` and `slow`. */
  heal(): void;
  /** Sends an invalid frame; default half of one. */
  sendBadFrame(text?: string): void;
  /** Sends a notification of an unknown type. */
  sendUnknownNotification(): void;
  /** Sends the last frame again; nothing if there was none. */
  repeatLastFrame(): void;
}
