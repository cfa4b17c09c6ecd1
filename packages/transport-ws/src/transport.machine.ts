/**
 * Life of one link after it was opened. Pure: no sockets, no timers.
 *
 *   open ─close→ closing ─terminate→ dropping ─ended→ ended
 *   open ─terminate→ dropping      open, closing ─ended→ ended
 *
 *   closing ─close→ closing        dropping ─close, terminate→ dropping        ended ─close, terminate, ended→ ended
 *
 * `closing` still delivers what the peer sends; `dropping` delivers nothing more. Only `open` sends.
 */
export const LINK_TRANSITIONS = {
  open: { close: "closing", terminate: "dropping", ended: "ended" },
  closing: { close: "closing", terminate: "dropping", ended: "ended" },
  dropping: { close: "dropping", terminate: "dropping", ended: "ended" },
  ended: { close: "ended", terminate: "ended", ended: "ended" },
} as const satisfies Record<string, Record<LinkEvent, string>>;

/** Where a link stands. */
export type LinkPhase = "open" | "closing" | "dropping" | "ended";

/** What can happen to a link: both calls of its owner, and its end. */
export type LinkEvent = "close" | "terminate" | "ended";

/** The phase after `event`. Every event has a meaning in every phase, because a transport may be closed again and again. */
export function next(phase: LinkPhase, event: LinkEvent): LinkPhase {
  return LINK_TRANSITIONS[phase][event];
}
