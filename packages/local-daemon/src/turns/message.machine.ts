import type { StoredMessageState } from "../storage/index.js";

/** Events that end a message, from every open state. */
const ENDS = {
  complete: "completed",
  interrupt: "interrupted",
  fail: "failed",
  exit: "agent_exited",
  lose: "outcome_unknown",
} as const;

/**
 * States of a user message. Pure.
 *
 *   accepted ─hand→ handed ─start→ running
 *
 *   accepted, handed, running ─complete→ completed     accepted, handed, running ─interrupt→ interrupted
 *   accepted, handed, running ─fail→ failed            accepted, handed, running ─exit→ agent_exited
 *   accepted, handed, running ─lose→ outcome_unknown
 */
export const MESSAGE_TRANSITIONS = {
  accepted: { hand: "handed", ...ENDS },
  handed: { start: "running", ...ENDS },
  running: { ...ENDS },
  completed: {},
  interrupted: {},
  failed: {},
  agent_exited: {},
  outcome_unknown: {},
} as const satisfies Record<StoredMessageState, Partial<Record<MessageEvent, StoredMessageState>>>;

/**
 * Events of a turn. `hand`: the prompt is about to be written to the agent; `start`: the agent confirmed it. The others end
 * the turn: `exit` when the agent died, `lose` when the daemon died and the outcome is unknown.
 */
export type MessageEvent = "hand" | "start" | keyof typeof ENDS;

const TABLE: Readonly<Record<StoredMessageState, Partial<Record<MessageEvent, StoredMessageState>>>> =
  MESSAGE_TRANSITIONS;

/** The state after `event`, or undefined when the event is invalid in `state`. */
export function nextMessageState(state: StoredMessageState, event: MessageEvent): StoredMessageState | undefined {
  return TABLE[state][event];
}

/**
 * The event of a reason of `agent_turn_completed` (docs/wire/session.md#turn-end,
 * docs/wire/agent-stdio.md#turn-end).
 */
export function endEventOf(reason: string): Exclude<MessageEvent, "hand" | "start"> {
  switch (reason) {
    case "completed":
      return "complete";
    case "cancelled":
      return "interrupt";
    case "agent_exited":
      return "exit";
    case "daemon_restarted":
      return "lose";
    default:
      return "fail";
  }
}
