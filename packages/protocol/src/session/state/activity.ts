import { CLIENT_LIMITS } from "../../limits/index.js";
import type { Open, SessionActivity, WorkingState } from "../values.js";

/** The inputs of {@link activityOf}. */
export interface ActivitySigns {
  readonly workingState: Open<WorkingState>;
  /** Number of pending requests. */
  readonly pendingRequests: number;
  /** Milliseconds since the last event. */
  readonly silentMs: number;
  /** Whether the agent is connected, and the daemon reachable. */
  readonly isReachable: boolean;
  /** Default `LIMITS.stalledMs`. */
  readonly stalledMs?: number;
}

/** The activity that follows from these signs. Pure: the caller has the clock. */
export function activityOf(signs: ActivitySigns): SessionActivity {
  const { workingState, pendingRequests, silentMs, isReachable, stalledMs = CLIENT_LIMITS.stalledMs } = signs;
  if (!isReachable) return "gone";
  if (pendingRequests > 0) return "waiting-you";
  if (workingState === "idle") return "idle";
  if (workingState === "waiting_for_tool_confirmation") return "waiting-you";
  if (silentMs >= stalledMs) return "stalled";
  return workingState === "executing_tool" ? "waiting-tool" : "waiting-model";
}
