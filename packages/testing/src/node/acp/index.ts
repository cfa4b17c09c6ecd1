export { acpAgentContract } from "./acp-contract.js";
