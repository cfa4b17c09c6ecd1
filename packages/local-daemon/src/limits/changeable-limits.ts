import type { DaemonLimits } from "./daemon-limits.js";
import { SESSION_LIMITS } from "./session-limits.js";

/** Smallest values of limits. Without one agent nothing would ever start. Others may be 0. */
export const LEAST_LIMITS: Readonly<Partial<Record<keyof DaemonLimits, number>>> = {
  agentStarts: 1,
  liveAgents: 1,
  liveAgentsPerKey: 1,
};

/** Limits that are read at each use, so that a running daemon can change them. The others hold from the next start on. */
export const LIVE_LIMITS: ReadonlySet<keyof DaemonLimits> = new Set<keyof DaemonLimits>([
  ...(Object.keys(SESSION_LIMITS) as (keyof typeof SESSION_LIMITS)[]),
  "drainMs",
]);
