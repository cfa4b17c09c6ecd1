import { CLIENT_LIMITS } from "../../limits/index.js";
import type { Open, SessionActivity, WorkingState } from "../values.js";

/** What the activity is derived from. */
export interface ActivitySigns {
  readonly workingState: Open<WorkingState>;
  /** Requests that wait for an answer. */
  readonly pendingRequests: number;
  /** Since the last sign of life. */
  readonly silentMs: number;
  /** Whether the agent, and the way to it, is there. */
  readonly isReachable: boolean;
  /** Default `LIMITS.stalledMs`. */
  readonly stalledMs?: number;
}

/** The activity that these signs add up to. Pure: the caller has the clock. */
export function activityOf(signs: ActivitySigns): SessionActivity {
  const { workingState, pendingRequests, silentMs, isReachable, stalledMs = CLIENT_LIMITS.stalledMs } = signs;
  if (!isReachable) return "gone";
  if (pendingRequests > 0) return "waiting-you";
  if (workingState === "idle") return "idle";
  if (workingState === "waiting_for_tool_confirmation") return "waiting-you";
  if (silentMs >= stalledMs) return "stalled";
  return workingState === "executing_tool" ? "waiting-tool" : "waiting-model";
}
