export * from "./ask-machines.js";
export * from "./connect-fleet.js";
export * from "./fleet.js";
export type * from "./fleet-results.js";
export type { FleetConnectionOptions } from "./machine-links.js";
export type { SessionNeeds } from "./placement.js";
