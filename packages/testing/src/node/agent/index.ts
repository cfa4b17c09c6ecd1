export * from "./agent-contract.js";
export * from "./agent-harness.js";
export type { AgentExit, AgentProcess } from "./agent-process.js";
export * from "./fake-agent-harness.js";
export { ProcessLines } from "./process-lines.js";
export * from "./run-fake-agent.js";
