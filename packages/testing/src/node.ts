export {
  type AgentCase,
  type AgentExit,
  type AgentHarness,
  type AgentHarnessOptions,
  type AgentProcess,
  type AgentPrompts,
  agentHarness,
} from "./node/agent/agent-harness.js";
export { type FakeAgentHarnessOptions, fakeAgentHarness } from "./node/agent/fake-agent-harness.js";
export { agentContract } from "./node/agent-contract.js";
export type { ChaosConnection } from "./node/chaos-connection.js";
export type { ChaosDelay, ChaosLane } from "./node/chaos-lane.js";
export { type ChaosAddress, ChaosProxy, type ChaosProxyOptions } from "./node/chaos-proxy.js";
export { fileSink } from "./node/file-sink.js";
export { type FakeAgentStreams, runFakeAgent } from "./node/run-fake-agent.js";
