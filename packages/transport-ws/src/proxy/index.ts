export { environmentAgent } from "./proxy-agent.js";
