import type { Agent } from "../agent.js";
import type { AgentBound } from "../occupant.js";
import type { AgentOutlet } from "./agent-outlet.js";

/** An agent that was taken out of its slot, and runs on. */
export interface KeptAgent {
  readonly agent: Agent;
  /** Its events; undefined for an agent whose events a holder keeps. */
  readonly outlet: AgentOutlet | undefined;
  readonly bound: AgentBound;
}
