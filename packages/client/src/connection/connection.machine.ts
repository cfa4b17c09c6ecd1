/** Where a connection is in its life. */
export type ConnectionState =
  | "idle"
  | "dialing"
  | "authenticating"
  | "attaching"
  | "ready"
  | "waiting"
  | "closing"
  | "closed";

/** What can happen to it. */
export type ConnectionEvent =
  | "dial"
  | "opened"
  | "accepted"
  | "attached"
  | "failed"
  | "retry"
  | "lost"
  | "close"
  | "ended";

/**
 * Life of one client connection, over all its links. Pure: no sockets, no timers, no clock.
 *
 *   idle ─dial→ dialing ─opened→ authenticating ─accepted→ attaching ─attached→ ready ─close→ closing ─ended→ closed
 *
 *   dialing ─failed→ waiting     authenticating ─failed→ waiting     attaching ─failed→ waiting
 *   waiting ─retry→ dialing      ready ─lost→ waiting
 *   idle ─close→ closed          dialing ─close→ closed              authenticating ─close→ closed
 *   attaching ─close→ closed     waiting ─close→ closed
 *
 * `attaching`: the sessions are taken over to a new link; there is none on the first. `failed` and `lost` also stand before giving
 * up: `waiting` is left by `retry` while attempts remain, else by `close`.
 */
export const CONNECTION_TRANSITIONS = {
  idle: { dial: "dialing", close: "closed" },
  dialing: { opened: "authenticating", failed: "waiting", close: "closed" },
  authenticating: { accepted: "attaching", failed: "waiting", close: "closed" },
  attaching: { attached: "ready", failed: "waiting", close: "closed" },
  ready: { lost: "waiting", close: "closing" },
  waiting: { retry: "dialing", close: "closed" },
  closing: { ended: "closed" },
  closed: {},
} as const satisfies Record<ConnectionState, Partial<Record<ConnectionEvent, ConnectionState>>>;

/** The state after `event`, or `undefined` when the event has no meaning in `state`. */
export function nextConnectionState(state: ConnectionState, event: ConnectionEvent): ConnectionState | undefined {
  const row: Partial<Record<ConnectionEvent, ConnectionState>> = CONNECTION_TRANSITIONS[state];
  return row[event];
}
