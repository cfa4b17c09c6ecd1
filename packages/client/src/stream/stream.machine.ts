/** The states of a stream. */
export type StreamState = "idle" | "running" | "concluding" | "ended";

/** The events of a stream. */
export type StreamEvent = "start" | "turnEnded" | "resultMade" | "failed" | "closed" | "abandoned";

/**
 * The state machine of one stream. Pure: no promises, no session.
 *
 *   idle ─start→ running ─turnEnded→ concluding ─resultMade→ ended
 *
 *   running ─failed→ ended     running ─closed→ ended        running ─abandoned→ ended
 *   idle ─abandoned→ ended     concluding ─abandoned→ ended
 *
 * `failed`: the consumer gets an error. `closed`: this side closed or detached the session; no error. `abandoned`: the consumer
 * stopped, or never started. In `concluding` the stream waits for a validator only, so a lost link or a closed session has no
 * effect.
 */
export const STREAM_TRANSITIONS = {
  idle: { start: "running", abandoned: "ended" },
  running: { turnEnded: "concluding", failed: "ended", closed: "ended", abandoned: "ended" },
  concluding: { resultMade: "ended", abandoned: "ended" },
  ended: {},
} as const satisfies Record<StreamState, Partial<Record<StreamEvent, StreamState>>>;

/** The state after `event`, or `undefined` when the event has no meaning in `state`. */
export function nextStreamState(state: StreamState, event: StreamEvent): StreamState | undefined {
  const row: Partial<Record<StreamEvent, StreamState>> = STREAM_TRANSITIONS[state];
  return row[event];
}
