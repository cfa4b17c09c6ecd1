/**
 * Life of one accepted connection, of either dialect. Pure: no socket, no timer.
 *
 *   connecting ─opened→ handshaking ─accepted→ active ─close→ closing ─ended→ closed
 *
 *   connecting, handshaking ─close→ closing
 *   connecting, handshaking, active ─ended→ closed
 */
export const CONNECTION_TRANSITIONS = {
  connecting: { opened: "handshaking", close: "closing", ended: "closed" },
  handshaking: { accepted: "active", close: "closing", ended: "closed" },
  active: { close: "closing", ended: "closed" },
  closing: { ended: "closed" },
  closed: {},
} as const satisfies Record<string, Partial<Record<ConnectionEvent, string>>>;

/** State of a connection. Messages are received in `handshaking` and `active`, and sent until `closed`. */
export type ConnectionState = keyof typeof CONNECTION_TRANSITIONS;

/**
 * What moves it. `opened`: the link stands and its dialect is known; `accepted`: the handshake succeeded; `close`: we end it
 * and what was accepted is still written; `ended`: the link is gone.
 */
export type ConnectionEvent = "opened" | "accepted" | "close" | "ended";

const TABLE: Readonly<Record<ConnectionState, Partial<Record<ConnectionEvent, ConnectionState>>>> =
  CONNECTION_TRANSITIONS;

/** The state after `event`, or undefined when the event means nothing in `state`. */
export function nextConnectionState(state: ConnectionState, event: ConnectionEvent): ConnectionState | undefined {
  return TABLE[state][event];
}
