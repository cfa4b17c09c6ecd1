/** Where a stream is in its life. */
export type StreamState = "idle" | "running" | "concluding" | "ended";

/** What can happen to it. */
export type StreamEvent = "start" | "turnEnded" | "resultMade" | "broke" | "closed" | "left";

/**
 * Life of one stream. Pure: no promises, no session.
 *
 *   idle ─start→ running ─turnEnded→ concluding ─resultMade→ ended
 *
 *   running ─broke→ ended     running ─closed→ ended     running ─left→ ended
 *   idle ─left→ ended         concluding ─left→ ended
 *
 * `broke`: an error is thrown to the consumer. `closed`: the session was closed or detached here, no error. `left`: the consumer
 * went away. In `concluding` only a validator is waited for, so neither a lost link nor a closed session matters any more.
 */
export const STREAM_TRANSITIONS = {
  idle: { start: "running", left: "ended" },
  running: { turnEnded: "concluding", broke: "ended", closed: "ended", left: "ended" },
  concluding: { resultMade: "ended", left: "ended" },
  ended: {},
} as const satisfies Record<StreamState, Partial<Record<StreamEvent, StreamState>>>;

/** The state after `event`, or `undefined` when the event has no meaning in `state`. */
export function nextStreamState(state: StreamState, event: StreamEvent): StreamState | undefined {
  const row: Partial<Record<StreamEvent, StreamState>> = STREAM_TRANSITIONS[state];
  return row[event];
}
