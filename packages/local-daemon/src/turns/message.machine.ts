import type { StoredMessageState } from "../storage/index.js";

/** The ways in which a message ends, from every state in which it has not. */
const ENDS = {
  complete: "completed",
  interrupt: "interrupted",
  fail: "failed",
  exit: "agent_exited",
  lose: "outcome_unknown",
} as const;

/**
 * What becomes of a user message. Pure.
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
 * What happens to a turn. `hand`: it is about to be written to the agent; `start`: the agent confirmed it; the others end
 * it: `exit` when the agent died, `lose` when the daemon did and the outcome is not known.
 */
export type MessageEvent = "hand" | "start" | keyof typeof ENDS;

const TABLE: Readonly<Record<StoredMessageState, Partial<Record<MessageEvent, StoredMessageState>>>> =
  MESSAGE_TRANSITIONS;

/** The state after `event`, or undefined when the event means nothing in `state`. */
export function nextMessageState(state: StoredMessageState, event: MessageEvent): StoredMessageState | undefined {
  return TABLE[state][event];
}

/**
 * The event that a reason of `agent_turn_completed` stands for (docs/wire/session.md#turn-end,
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
