/** The states of a connection. */
export type ConnectionState =
  | "idle"
  | "dialing"
  | "authenticating"
  | "attaching"
  | "ready"
  | "waiting"
  | "closing"
  | "closed";

/** The events of a connection. */
export type ConnectionEvent = "dial" | "opened" | "accepted" | "attached" | "lost" | "close" | "ended";

/**
 * The state machine of one client connection, over all its links. Pure: no sockets, no timers, no clock.
 *
 *   idle ─dial→ dialing ─opened→ authenticating ─accepted→ attaching ─attached→ ready ─close→ closing ─ended→ closed
 *
 *   dialing ─lost→ waiting       authenticating ─lost→ waiting       attaching ─lost→ waiting      ready ─lost→ waiting
 *   waiting ─dial→ dialing
 *   idle ─close→ closed          dialing ─close→ closed              authenticating ─close→ closed
 *   attaching ─close→ closed     waiting ─close→ closed
 *
 * `attaching`: the sessions are attached to the new link; the first link has none. `lost`: the link in use broke, or an attempt
 * at one failed. `waiting` ends with `dial` while attempts remain, else with `close`.
 */
export const CONNECTION_TRANSITIONS = {
  idle: { dial: "dialing", close: "closed" },
  dialing: { opened: "authenticating", lost: "waiting", close: "closed" },
  authenticating: { accepted: "attaching", lost: "waiting", close: "closed" },
  attaching: { attached: "ready", lost: "waiting", close: "closed" },
  ready: { lost: "waiting", close: "closing" },
  waiting: { dial: "dialing", close: "closed" },
  closing: { ended: "closed" },
  closed: {},
} as const satisfies Record<ConnectionState, Partial<Record<ConnectionEvent, ConnectionState>>>;

/** The state after `event`, or `undefined` when the event has no meaning in `state`. */
export function nextConnectionState(state: ConnectionState, event: ConnectionEvent): ConnectionState | undefined {
  const row: Partial<Record<ConnectionEvent, ConnectionState>> = CONNECTION_TRANSITIONS[state];
  return row[event];
}
