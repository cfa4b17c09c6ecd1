export {
  type Agent,
  type AgentEvents,
  type AgentExit,
  type AgentFault,
  type AgentProgram,
  type AgentReady,
  type AgentRequest,
  type AgentSpawner,
  type AgentSpec,
  type AgentStart,
  type AgentTurnEnd,
  CANCEL_ANSWERS,
} from "./agent.js";
export { AgentCatalog } from "./agent-catalog.js";
export { AgentGuard } from "./agent-guard.js";
export { type AgentServices, AgentSlot, type SlotSession } from "./agent-slot.js";
export { createAgentSpawner, WORKSPACE_AGENT } from "./agent-spawner.js";
export { type EnvelopeHead, envelopeHead, StdioTransport } from "./drivers/index.js";
export { AGENT_MARKERS, agentStateDirOf, stateDirOfAgent } from "./environment.js";
export {
  AgentHolder,
  type HeldAgent,
  type HeldProcess,
  type HolderAddress,
  HolderLink,
  type KeptAgent,
} from "./hold/index.js";
export { LiveAgents } from "./live-agents.js";
export { LoginShell } from "./login-shell.js";
export type { AgentBound } from "./occupant.js";
export { OfferedModels } from "./offered-models.js";
export { AGENT_PRESETS, loginOf, presetsOnPath, programPath } from "./presets.js";
export { isSameProcess, startTimeOf } from "./process-identity.js";
export { type HeldMark, reapLeftovers } from "./reaper.js";
export { AgentConversations, type AgentFinding, probeAgent } from "./without-session/index.js";
