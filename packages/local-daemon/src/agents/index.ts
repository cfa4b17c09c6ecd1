export type {
  Agent,
  AgentEvents,
  AgentExit,
  AgentProgram,
  AgentReady,
  AgentRequest,
  AgentSpawner,
  AgentSpec,
  AgentStart,
  AgentTurnEnd,
} from "./agent.js";
export { AgentCatalog } from "./agent-catalog.js";
export { type AgentServices, AgentSlot } from "./agent-slot.js";
export { agentStateDirOf, createAgentSpawner, WORKSPACE_AGENT } from "./agent-spawner.js";
export { StdioTransport } from "./drivers/index.js";
export { AGENT_MARKERS } from "./environment.js";
export { OccupiedSlots } from "./occupied-slots.js";
export { isSameProcess, startTimeOf } from "./process-identity.js";
export { reapLeftovers } from "./reaper.js";
