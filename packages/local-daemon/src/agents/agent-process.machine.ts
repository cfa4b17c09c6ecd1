/**
 * How the process of an agent ends. Pure: no signals, no timers.
 *
 *   running ─stop→ closing ─waited→ terminating ─waited→ killing
 *   running, closing, terminating, killing ─exited→ sweeping ─swept→ gone
 *
 * closing: its stdin has ended; terminating: its group has SIGTERM; killing: its group has SIGKILL; sweeping: it is dead,
 * and what it left behind is being killed.
 */
export const AGENT_PROCESS_TRANSITIONS = {
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
export type AgentProcessState = keyof typeof AGENT_PROCESS_TRANSITIONS;

/** The state after `event`, or undefined when the event means nothing in `state` (a second `stop`, a late timer). */
export function nextProcessState(state: AgentProcessState, event: AgentProcessEvent): AgentProcessState | undefined {
  const row: Partial<Record<AgentProcessEvent, AgentProcessState>> = AGENT_PROCESS_TRANSITIONS[state];
  return row[event];
}
