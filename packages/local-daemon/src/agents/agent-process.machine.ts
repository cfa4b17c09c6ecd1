/**
 * How the process of an agent ends. Pure: no signals, no timers.
 *
 *   running ─stop→ closing ─waited→ terminating ─waited→ killing
 *      │              │                  │                  │
 *      └──── exited ──┴────── exited ────┴───── exited ─────┴→ sweeping ─swept→ gone
 *
 * closing: its stdin has ended; terminating: its group has SIGTERM; killing: its group has SIGKILL; sweeping: it is dead,
 * and what it left behind is being killed.
 */
const TRANSITIONS = {
  running: { stop: "closing", exited: "sweeping" },
  closing: { waited: "terminating", exited: "sweeping" },
  terminating: { waited: "killing", exited: "sweeping" },
  killing: { exited: "sweeping" },
  sweeping: { swept: "gone" },
  gone: {},
} as const satisfies Record<string, Partial<Record<AgentProcessEvent, string>>>;

/** What can happen to an agent's process. */
export type AgentProcessEvent = "stop" | "waited" | "exited" | "swept";

/** Where an agent's process is on its way out. */
export type AgentProcessState = keyof typeof TRANSITIONS;

/** Every state, for tests. */
export const AGENT_PROCESS_STATES = Object.keys(TRANSITIONS) as readonly AgentProcessState[];

/** The state after `event`, or undefined when the event means nothing in `state` (a second `stop`, a late timer). */
export function nextProcessState(state: AgentProcessState, event: AgentProcessEvent): AgentProcessState | undefined {
  const row: Partial<Record<AgentProcessEvent, AgentProcessState>> = TRANSITIONS[state];
  return row[event];
}
