export { AgentHolder } from "./agent-holder.js";
export { AgentOutlet } from "./agent-outlet.js";
export type { HeldAgent } from "./held-agent.js";
export type { HeldProcess } from "./held-process.js";
export type { HolderAddress } from "./hold-wire.js";
export { HolderLink } from "./holder-link.js";
export type { KeptAgent } from "./kept-agent.js";
