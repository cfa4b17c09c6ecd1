import type { Agent } from "../agent.js";
import type { AgentOutlet } from "./agent-outlet.js";

/** An agent that this process keeps for later daemons. */
export interface HeldProcess {
  readonly sessionId: string;
  readonly agent: Agent;
  readonly outlet: AgentOutlet;
  /** Settles when the agent has acknowledged its last prompt, or has refused it. Undefined: it has got none. */
  prompted?: Promise<void> | undefined;
}
