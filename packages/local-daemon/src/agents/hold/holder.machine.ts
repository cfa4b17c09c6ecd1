/**
 * Life of a holder. Pure.
 *
 *   waiting ─adopt→ adopted ─release→ waiting
 *
 *   waiting ─expire→ ended     adopted ─lose→ ended     waiting, adopted ─empty→ ended
 */
export const HOLDER_TRANSITIONS = {
  waiting: { adopt: "adopted", expire: "ended", empty: "ended" },
  adopted: { release: "waiting", lose: "ended", empty: "ended" },
  ended: {},
} as const satisfies Record<string, Partial<Record<HolderEvent, string>>>;

/**
 * Events of a holder. `adopt`: a daemon receives the agents' events; `release`: it hands over to another; `lose`: it went without
 * a release; `expire`: no daemon came in time; `empty`: no agent is left, and nobody is expected.
 */
export type HolderEvent = "adopt" | "release" | "lose" | "expire" | "empty";

/** States of a holder. */
export type HolderState = keyof typeof HOLDER_TRANSITIONS;

const TABLE: Readonly<Record<HolderState, Partial<Record<HolderEvent, HolderState>>>> = HOLDER_TRANSITIONS;

/** The state after `event`, or undefined when the event has no meaning in `state`. */
export function nextHolderState(state: HolderState, event: HolderEvent): HolderState | undefined {
  return TABLE[state][event];
}
