export { AcpAgent } from "./acp-agent.js";
