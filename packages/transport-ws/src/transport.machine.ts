/**
 * Life of one link after it was opened. Pure: no sockets, no timers.
 *
 *   open ─close→ closing ─terminate→ dropping ─ended→ ended
 *   open ─terminate→ dropping      open, closing ─ended→ ended
 *
 *   closing ─close→ closing        dropping ─close, terminate→ dropping        ended ─close, terminate, ended→ ended
 *
 * `closing` still delivers messages of the peer; `dropping` delivers none. Only `open` sends.
 */
export const LINK_TRANSITIONS = {
  open: { close: "closing", terminate: "dropping", ended: "ended" },
  closing: { close: "closing", terminate: "dropping", ended: "ended" },
  dropping: { close: "dropping", terminate: "dropping", ended: "ended" },
  ended: { close: "ended", terminate: "ended", ended: "ended" },
} as const satisfies Record<string, Record<LinkEvent, string>>;

/** State of a link. */
export type LinkPhase = "open" | "closing" | "dropping" | "ended";

/** Events of a link: two calls of its owner, and its end. */
export type LinkEvent = "close" | "terminate" | "ended";

/** The phase after `event`. Every event is valid in every phase, because a transport may be closed repeatedly. */
export function next(phase: LinkPhase, event: LinkEvent): LinkPhase {
  return LINK_TRANSITIONS[phase][event];
}
