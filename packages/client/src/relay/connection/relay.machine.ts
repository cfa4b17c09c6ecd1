/** The states of a relay client. */
export type RelayState = "idle" | "dialing" | "greeting" | "ready" | "waiting" | "closing" | "closed";

/** The events of a relay client. */
export type RelayEvent = "dial" | "opened" | "welcomed" | "failed" | "lost" | "retry" | "refused" | "close" | "ended";

/**
 * The state machine of one relay client, over all its connections. Pure: no sockets, no timers, no clock.
 *
 *   idle ─dial→ dialing ─opened→ greeting ─welcomed→ ready ─close→ closing ─ended→ closed
 *
 *   dialing ─failed→ idle       greeting ─failed→ idle
 *   dialing ─lost→ waiting      greeting ─lost→ waiting     ready ─lost→ waiting
 *   waiting ─retry→ dialing     greeting ─refused→ closed   ready ─refused→ closed
 *   idle ─close→ closed         dialing ─close→ closed      greeting ─close→ closed
 *   waiting ─close→ closed      dialing ─refused→ closed
 *
 * `failed` ends the first attempt, for which `connect` rejects; `lost` ends any later one.
 */
export const RELAY_TRANSITIONS = {
  idle: { dial: "dialing", close: "closed" },
  dialing: { opened: "greeting", failed: "idle", lost: "waiting", refused: "closed", close: "closed" },
  greeting: { welcomed: "ready", failed: "idle", lost: "waiting", refused: "closed", close: "closed" },
  ready: { lost: "waiting", refused: "closed", close: "closing" },
  waiting: { retry: "dialing", close: "closed" },
  closing: { ended: "closed" },
  closed: {},
} as const satisfies Record<RelayState, Partial<Record<RelayEvent, RelayState>>>;

/** The state after `event`, or `undefined` when the event has no meaning in `state`. */
export function nextRelayState(state: RelayState, event: RelayEvent): RelayState | undefined {
  const row: Partial<Record<RelayEvent, RelayState>> = RELAY_TRANSITIONS[state];
  return row[event];
}
