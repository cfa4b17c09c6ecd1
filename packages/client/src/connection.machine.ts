/** Where a connection is in its life. */
export type ConnectionState = "idle" | "dialing" | "authenticating" | "waiting" | "ready" | "closing" | "closed";

/** What can happen to it. */
export type ConnectionEvent = "dial" | "opened" | "accepted" | "failed" | "retry" | "close" | "ended" | "lost";

/**
 * Life of one client connection. Pure: no sockets, no timers, no clock.
 *
 *   idle ─dial→ dialing ─opened→ authenticating ─accepted→ ready ─close→ closing ─ended→ closed
 *
 *   dialing ─failed→ waiting        authenticating ─failed→ waiting
 *   waiting ─retry→ dialing         ready ─lost→ closed
 *   idle ─close→ closed             dialing ─close→ closed
 *   authenticating ─close→ closed   waiting ─close→ closed
 *   closing ─lost→ closed
 *
 * `failed` also stands before giving up: `waiting` is left by `retry` while attempts remain, else by `close`.
 */
export const CONNECTION_TRANSITIONS = {
  idle: { dial: "dialing", close: "closed" },
  dialing: { opened: "authenticating", failed: "waiting", close: "closed" },
  authenticating: { accepted: "ready", failed: "waiting", close: "closed" },
  waiting: { retry: "dialing", close: "closed" },
  ready: { close: "closing", lost: "closed" },
  closing: { ended: "closed", lost: "closed" },
  closed: {},
} as const satisfies Record<ConnectionState, Partial<Record<ConnectionEvent, ConnectionState>>>;

/** The state after `event`, or `undefined` when the event has no meaning in `state`. */
export function nextConnectionState(state: ConnectionState, event: ConnectionEvent): ConnectionState | undefined {
  const row: Partial<Record<ConnectionEvent, ConnectionState>> = CONNECTION_TRANSITIONS[state];
  return row[event];
}
