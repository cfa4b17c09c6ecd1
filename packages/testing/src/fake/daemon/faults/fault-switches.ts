/**
 * What can go wrong with a connection, as switches: on one connection (`daemon.connection(1)`) or on all of them
 * (`daemon.faults`), where `delay`, `stall` and `slow` also hold for connections made later, until `heal`.
 */
export interface FaultSwitches {
  /** Breaks it, as a dead network does: what is under way is lost, and the client sees an unclean close. */
  drop(): void;
  /** Closes it politely, with a code such as `CloseCode.goingAway`; default 1000. */
  close(code?: number, reason?: string): void;
  /** Holds every message of both directions for so long, on the daemon's clock; the order stays. 0 ends it. */
  delay(ms: number): void;
  /** Half-open: nothing passes in either direction, and nobody is told. `heal` lets through what was held up. */
  stall(): void;
  /** The daemon stops reading: what the client sends waits, at last in the client. */
  slow(): void;
  /** Ends `delay`, `stall` and `slow`. */
  heal(): void;
  /** Sends something that is no frame; default half of one. */
  sendBadFrame(text?: string): void;
  /** Sends a notification that no client knows. */
  sendUnknownNotification(): void;
  /** Sends the last frame again, whatever it was; nothing when there was none. */
  repeatLastFrame(): void;
}
