import type { AgentReady } from "./agent.js";

/** The models that each agent offered when it last started under this daemon. */
export class OfferedModels {
  readonly #models = new Map<string, NonNullable<AgentReady["availableModels"]>>();

  /** The models of an agent; empty until it has started. */
  of(agent: string | undefined): NonNullable<AgentReady["availableModels"]> {
    return (agent === undefined ? undefined : this.#models.get(agent)) ?? [];
  }

  remember(agent: string, models: AgentReady["availableModels"]): void {
    if (models !== undefined) this.#models.set(agent, models);
  }
}
