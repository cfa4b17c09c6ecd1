export { type Result, type SpawningParts, SpawnManager } from "./spawn-manager.js";
