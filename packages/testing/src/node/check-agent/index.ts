export { runCheckAgent } from "./run-check-agent.js";
