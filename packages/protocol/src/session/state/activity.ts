import { CLIENT_LIMITS } from "../../limits.js";
import type { Open, WorkingState } from "../values.js";

/**
 * What a session waits for, in words for people:
 *
 * `idle` no turn runs · `waiting-model` the model thinks or writes · `waiting-tool` a tool runs · `waiting-you` a permission or
 * an answer is asked for · `stalled` it works, and has said nothing for too long · `gone` its agent, or the way to it, is not there.
 */
export type SessionActivity = "idle" | "waiting-model" | "waiting-tool" | "waiting-you" | "stalled" | "gone";

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
