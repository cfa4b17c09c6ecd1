export { AgentConversations } from "./agent-conversations.js";
export { type AgentFinding, probeAgent } from "./agent-probe.js";
