export type { SalvageReport } from "./salvage.js";
export { salvageInThread } from "./salvage-thread.js";
