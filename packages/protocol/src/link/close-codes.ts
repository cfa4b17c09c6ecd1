// Facts of the wire: docs/wire/session.md#open-connection

/**
 * WebSocket close codes of this project. 44xx: the peer's fault; 45xx: ours.
 *
 * Clients of the original wire ignore the codes, so they are for our clients and for logs.
 */
export const CloseCode = {
  /** Polite end by either side. */
  normal: 1000,
  /** The daemon is stopping. */
  goingAway: 1001,
  /** A frame that is not what the wire allows. */
  protocolError: 1002,
  /** A message over the limit. */
  tooLarge: 1009,
  /** No valid credential within the time or the attempts allowed. */
  unauthenticated: 4401,
  /** The peer did not read for too long. */
  slowConsumer: 4408,
  /** Too many sockets without authentication; the oldest silent one is closed first. */
  tooManyUnauthenticated: 4429,
  /** A failure of the daemon. */
  internalError: 4500,
} as const;

/** One of {@link CloseCode}'s values. */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
