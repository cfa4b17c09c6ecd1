export { AcpAgent } from "./acp-agent.js";
export type { StartCommand, TerminalCommand } from "./client-services/index.js";
