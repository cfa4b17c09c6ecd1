/**
 * Life of one link. Pure: no NATS, no timers.
 *
 *   open ─close→ closing ─ended→ ended      open ─ended→ ended
 *
 *   closing ─close→ closing      ended ─close, ended→ ended
 *
 * Only `open` accepts messages. `closing` sends what was accepted, and still delivers messages of the peer.
 */
export const LINK_TRANSITIONS = {
  open: { close: "closing", ended: "ended" },
  closing: { close: "closing", ended: "ended" },
  ended: { close: "ended", ended: "ended" },
} as const satisfies Record<string, Record<LinkEvent, string>>;

/** State of a link. */
export type LinkPhase = "open" | "closing" | "ended";

/** Events of a link. */
export type LinkEvent = "close" | "ended";

/** The phase after `event`. Every event is valid in every phase, because a transport may be closed repeatedly. */
export function next(phase: LinkPhase, event: LinkEvent): LinkPhase {
  return LINK_TRANSITIONS[phase][event];
}
