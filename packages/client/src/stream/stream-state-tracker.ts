import { type SessionNotification, SessionState, type TrackedTurn, withoutUndefined } from "@daemon-sdk/protocol";
import type { BridgedEvent } from "./events.js";
import { ResultCollector, type ResultCollectorOptions } from "./result-collector.js";

// Facts of the wire: docs/wire/session.md#streams, docs/wire/session.md#turn-end

/** Options of {@link StreamStateTracker}. */
export interface StreamStateTrackerOptions extends ResultCollectorOptions {
  /** Id of the user message that starts the turn. */
  readonly messageId: string;
  /** Id of the `add_user_message` request, which a real daemon repeats in `create_message`. */
  readonly requestId?: string;
  /** Whether the daemon offers the capability `turns`. */
  readonly turns: boolean;
  /** Turns under way when the prompt was sent, whose ends come first. Default 0. */
  readonly ahead?: number;
}

/**
 * Tracks one turn until its end, and makes its result.
 *
 * It needs every notification of the session, from before the prompt is sent, with the events that `MessageBridge` made of it. It
 * depends on no socket and no method prefix, so it works over a daemon's socket and over an agent's stdio alike.
 */
export class StreamStateTracker extends ResultCollector {
  readonly #state: SessionState;
  readonly #messageId: string;

  constructor(options: StreamStateTrackerOptions) {
    const state = stateBefore(options);
    super(state.turn(options.messageId) as TrackedTurn, options);
    this.#state = state;
    this.#messageId = options.messageId;
  }

  override observe(notification: SessionNotification, events: readonly BridgedEvent[]): boolean {
    this.#state.apply(notification);
    return super.observe(notification, events);
  }

  /** The turn ended unobserved, for an unknown reason. */
  endedUnseen(): void {
    this.#state.end(this.#messageId, { by: "idle" });
    this.conclude();
  }

  /** The agent's process ended, after which the daemon sends nothing of the turn (`session_process_exited`). */
  agentExited(notification: SessionNotification): void {
    this.#state.end(this.#messageId, { by: "completed", reason: "agent_exited" });
    this.conclude(notification);
  }
}

/** The state of a session in which so many turns and this prompt are under way. */
function stateBefore({ messageId, requestId, turns, ahead = 0 }: StreamStateTrackerOptions): SessionState {
  const state = ahead > 0 ? "behind" : "waiting";
  return SessionState.from({
    rule: turns ? "told" : "inferred",
    workingState: "idle",
    isGone: false,
    pendingPermissions: [],
    pendingAskUserRequests: [],
    turns: [{ messageId, ...withoutUndefined({ requestId }), state, ahead, wasBusy: false, isForetold: false }],
  });
}
