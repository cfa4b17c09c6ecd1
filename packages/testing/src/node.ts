export {
  type AgentCase,
  type AgentHarness,
  type AgentHarnessOptions,
  type AgentPrompts,
  agentHarness,
} from "./node/agent/agent-harness.js";
export { agentContract } from "./node/agent-contract.js";
export { fileSink } from "./node/file-sink.js";
