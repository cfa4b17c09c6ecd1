export { residentBytes } from "./process-memory.js";
export { type Result, SpawnManager } from "./spawn-manager.js";
